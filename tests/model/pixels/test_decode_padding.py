"""Pictures that are padded to a square, compared with padding after a plain full decode."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from model.pixels.decode import GREY, decode
from tests.model.pixels.drawn_pictures import (
    SIZE,
    Box,
    drawing,
    encoded,
    psnr,
    saved,
    with_alpha,
)


def padded_reference(image, framing):
    """The whole picture pasted on grey that reaches as far as it and the box; cut and resized."""
    left, top, right, bottom = framing.box(*image.size, 0)
    before = [max(0, int(np.ceil(-edge))) for edge in (left, top)]
    after = [
        int(np.ceil(max(edge, side)))
        for edge, side in zip((right, bottom), image.size, strict=True)
    ]
    canvas = Image.new("RGB", (before[0] + after[0], before[1] + after[1]), (GREY,) * 3)
    canvas.paste(image, (before[0], before[1]))
    box = (left + before[0], top + before[1], right + before[0], bottom + before[1])
    return np.asarray(canvas.resize((SIZE, SIZE), Image.Resampling.BILINEAR, box))


@pytest.mark.parametrize(
    "shares",
    [
        (0, -0.2, 1, 1.2),
        (-0.217, 0, 1.331, 1),
        (0.1, -0.5, 0.9, 0.7),
        (-0.3, -0.2, 1.4, 1.1),
        (-0.3, 0.5, 0.01, 0.9),
    ],
    ids=["above and below", "beside", "above", "all around", "almost beside it"],
)
@pytest.mark.parametrize("size", [(150, 110), (20, 30)], ids=["larger", "smaller"])
def test_what_lies_outside_a_padded_picture_is_grey(tmp_path, shares, size):
    image = drawing(*size)
    framing = Box(*shares, pads=True)
    decoded = decode(saved(tmp_path, encoded(image, "PNG")), framing, 0)
    # The two passes of a resize round to bytes; which comes first decides about one level.
    expected = padded_reference(image, framing).astype(int)
    assert np.abs(decoded.pixels - expected).max() <= 1
    assert (expected == GREY).all(axis=2).any()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_padded_photo_is_turned_and_scaled_like_any_other(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(drawing(600, 400), "JPEG", exif=exif, quality=95)
    side = 600 / 400
    over, under = (1 - side) / 2, (1 + side) / 2
    shares = (0, over, 1, under) if orientation < 5 else (over, 0, under, 1)
    framing = Box(*shares, pads=True)
    decoded = decode(saved(tmp_path, content), framing, 0)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    assert psnr(decoded.pixels, padded_reference(upright, framing)) > 38


@pytest.mark.parametrize("mode", ["L", "RGBA", "LA", "P", "CMYK"])
def test_padding_is_opaque_grey_in_every_mode(tmp_path, mode):
    image = drawing(60, 20).convert("RGB")
    image = with_alpha(image).convert(mode) if mode in ("RGBA", "LA") else image.convert(mode)
    content = encoded(image, "TIFF" if mode == "CMYK" else "PNG")
    decoded = decode(saved(tmp_path, content), Box(0, -1, 1, 2, pads=True), 0)
    assert (decoded.pixels[:10] == GREY).all()
    assert (decoded.pixels[-10:] == GREY).all()
    assert not (decoded.pixels[12:20] == GREY).all()


@pytest.mark.parametrize("size", [(3, 4000), (5, 2999), (4000, 1)])
def test_a_photo_as_thin_as_a_line_can_be_padded(tmp_path, size):
    width, height = size
    content = encoded(Image.new("RGB", size, "white"), "JPEG")
    over = (1 - max(size) / min(size)) / 2
    shares = (over, 0, 1 - over, 1) if width < height else (0, over, 1, 1 - over)
    decoded = decode(saved(tmp_path, content), Box(*shares, pads=True), 0)
    assert decoded.fault is None
    line = decoded.pixels.max(axis=0 if width < height else 1).max(axis=1)
    assert GREY < line.max() < 255  # far less than a pixel wide, so mostly grey
    assert (line != GREY).sum() <= 2


@pytest.mark.parametrize(
    "shares",
    [(0.5, 0, 0.5, 1), (1.1, 0, 1.2, 1), (0, -0.5, 1, -0.1)],
    ids=["empty", "right", "top"],
)
def test_a_padded_box_without_a_bit_of_the_picture_is_the_callers_error(tmp_path, shares):
    path = saved(tmp_path, encoded(drawing(), "JPEG"))
    with pytest.raises(ValueError, match="not inside the 150 x 110 picture"):
        decode(path, Box(*shares, pads=True), 0)
