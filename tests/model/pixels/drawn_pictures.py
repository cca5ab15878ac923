"""Pictures drawn for the tests of decoding, and what a plain full decode makes of them."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageOps

SIZE = 32
WIDTH, HEIGHT = 150, 110


class Box:
    """Always the same part of the picture, given in shares of its sides."""

    size = SIZE

    def __init__(self, left=0.0, top=0.0, right=1.0, bottom=1.0, pads=False):
        self.shares = left, top, right, bottom
        self.pads = pads
        self.asked = []

    def box(self, width, height, index):
        self.asked.append((width, height, index))
        left, top, right, bottom = self.shares
        return left * width, top * height, right * width, bottom * height


WHOLE = Box()
PART = Box(0.123, 0.217, 0.871, 0.933)


def drawing(width=WIDTH, height=HEIGHT):
    """A smooth picture whose four corners differ, with an edge in it."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    channels = [x / width, y / height, (x + y) / (width + height)]
    image = Image.fromarray((np.stack(channels, axis=-1) * 255).astype(np.uint8))
    box = (width * 0.1, height * 0.2, width * 0.4, height * 0.7)
    ImageDraw.Draw(image).ellipse(box, fill=(250, 30, 60))
    return image


def encoded(image, file_format, **options):
    stream = io.BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def saved(folder, content, name="사진 1.jpg"):
    path = folder / name
    path.write_bytes(content)
    return path


def reference(image, framing):
    """Upright, on white, RGB, then cut and resized: all at full size."""
    upright = ImageOps.exif_transpose(image)
    if upright.has_transparency_data:
        upright = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright)
    box = framing.box(*upright.size, 0)
    return np.asarray(upright.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BILINEAR, box))


def psnr(one, other):
    error = np.mean((one.astype(np.float64) - other) ** 2)
    return np.inf if error == 0 else 10 * np.log10(255**2 / error)


def with_alpha(image):
    image = image.convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image
