"""Which way up a stored picture is meant to be seen (EXIF tag 0x0112)."""

from dataclasses import dataclass

from PIL import ExifTags, Image

from model.batch import Box

Transpose = Image.Transpose


@dataclass(frozen=True)
class Orientation:
    """How stored pixels become the upright picture."""

    transpose: Image.Transpose | None = None
    """Pillow's name of the operation; None if the picture is stored upright."""
    swapped: bool = False
    """Upright rows are stored columns."""
    from_right: bool = False
    """The stored x axis runs against the upright axis it belongs to."""
    from_bottom: bool = False
    """The stored y axis runs against the upright axis it belongs to."""

    def upright_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height as seen, of a picture stored as `width` x `height` pixels."""
        return (height, width) if self.swapped else (width, height)

    def stored_box(self, box: Box, width: int, height: int) -> Box:
        """The pixels of the upright `box` in a picture stored as `width` x `height` pixels."""
        left, top, right, bottom = box
        if self.swapped:
            left, top, right, bottom = top, left, bottom, right
        if self.from_right:
            left, right = width - right, width - left
        if self.from_bottom:
            top, bottom = height - bottom, height - top
        return left, top, right, bottom

    def upright(self, image: Image.Image) -> Image.Image:
        """`image`, stored this way, as it is meant to be seen."""
        return image if self.transpose is None else image.transpose(self.transpose)


UPRIGHT = Orientation()

ORIENTATIONS = {
    1: UPRIGHT,
    2: Orientation(Transpose.FLIP_LEFT_RIGHT, from_right=True),
    3: Orientation(Transpose.ROTATE_180, from_right=True, from_bottom=True),
    4: Orientation(Transpose.FLIP_TOP_BOTTOM, from_bottom=True),
    5: Orientation(Transpose.TRANSPOSE, swapped=True),
    6: Orientation(Transpose.ROTATE_270, swapped=True, from_bottom=True),
    7: Orientation(Transpose.TRANSVERSE, swapped=True, from_right=True, from_bottom=True),
    8: Orientation(Transpose.ROTATE_90, swapped=True, from_right=True),
}
"""By the value of the EXIF tag. Source: CIPA DC-008 (Exif 2.32), section 4.6.4, "Orientation"."""


def orientation_of(image: Image.Image) -> Orientation:
    """Orientation that the picture's EXIF or XMP block states; upright without a readable one."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # whatever a damaged block makes the parser raise, the pixels are still good
        return UPRIGHT
    return ORIENTATIONS.get(value, UPRIGHT) if isinstance(value, int) else UPRIGHT
