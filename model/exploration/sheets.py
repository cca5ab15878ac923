"""Contact sheets: many small pictures on one PNG, each with a line that says what it is."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from model.augment.framing import Pad
from model.exploration.survey import Gallery, Survey
from model.pixels.decode import decode

THUMB = 144
"""Longest side of a small picture, pixels."""
COLUMNS = 8
GAP = 10
"""Space around a small picture, pixels."""
LINE = 17
"""Height of a line of text, pixels."""
TEXT = 13
"""Size of the letters, pixels."""
PAPER, INK, FAINT = "#ffffff", "#1b1f24", "#6b7280"
KOREAN_FONTS = (
    "NanumGothic.ttf",
    "NotoSansCJK-Regular.ttc",
    "NotoSansKR-Regular.otf",
    "malgun.ttf",
    "AppleSDGothicNeo.ttc",
)
"""Fonts with Korean letters, as their files are called on Linux, Windows and macOS."""
FIRST_MISSING = "\u0250"
"""Pillow's own font has the Latin letters before this one."""
MISSING = "\u00b7"
"""Stands for a letter that the font lacks, in place of an empty box."""

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class Tile:
    """One small picture."""

    picture: Image.Image
    title: str
    """First line below it."""
    detail: str = ""
    """Second line, fainter."""
    colour: str = PAPER
    """Of the frame."""


@dataclass(frozen=True)
class Lettering:
    """A font and what it can write."""

    font: Font
    korean: bool

    def writes(self, text: str) -> bool:
        """Whether the font has all letters of the text."""
        return self.korean or max(text, default="") < FIRST_MISSING

    def legible(self, text: str) -> str:
        """The text with a dot for each letter that the font lacks."""
        return "".join(letter if self.writes(letter) else MISSING for letter in text)

    def fitted(self, text: str, width: float) -> str:
        """As much of the end of `text` as is at most `width` pixels wide."""
        text = self.legible(text)
        if self.font.getlength(text) <= width:
            return text
        while text and self.font.getlength("…" + text) > width:
            text = text[1:]
        return "…" + text


def find_lettering(candidates: Sequence[str] = KOREAN_FONTS) -> Lettering:
    """The first of these fonts that is installed; else Pillow's own, which knows no Korean."""
    for name in candidates:
        try:
            return Lettering(ImageFont.truetype(name, TEXT), korean=True)
        except OSError:  # not installed
            continue
    return Lettering(ImageFont.load_default(TEXT), korean=False)


def thumbnail(gallery: Gallery, survey: Survey, position: int, side: int = THUMB) -> Image.Image:
    """A small copy of a picture in its own proportions; a grey square where it is unreadable.

    Args:
        gallery: The pictures.
        survey: Knows how large they are.
        position: Which one.
        side: Length of the longer side, pixels.
    """
    decoded = decode(gallery.files.folder / gallery.names[position], Pad(side), position)
    square = Image.fromarray(decoded.pixels)
    width, height = int(survey.widths[position]), int(survey.heights[position])
    if not decoded.readable or not width or not height:
        return square
    scale = side / max(width, height)
    shown = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (side - shown[0]) // 2, (side - shown[1]) // 2
    return square.crop((left, top, left + shown[0], top + shown[1]))


def contact_sheet(
    tiles: Sequence[Tile], lettering: Lettering, *, columns: int = COLUMNS
) -> Image.Image:
    """Arrange small pictures in rows.

    Args:
        tiles: At least one.
        lettering: What to write with.
        columns: Pictures in a row, at least 1.

    Returns:
        RGB picture, as wide as a full row.
    """
    rows = -(-len(tiles) // columns)
    across, down = THUMB + 2 * GAP, THUMB + 2 * LINE + 2 * GAP
    sheet = Image.new("RGB", (columns * across, rows * down), PAPER)
    pen = ImageDraw.Draw(sheet)
    for place, tile in enumerate(tiles):
        row, column = divmod(place, columns)
        left, top = column * across + GAP, row * down + GAP
        offset = (THUMB - tile.picture.width) // 2, (THUMB - tile.picture.height) // 2
        sheet.paste(tile.picture, (left + offset[0], top + offset[1]))
        frame = (left - 3, top - 3, left + THUMB + 2, top + THUMB + 2)
        pen.rectangle(frame, outline=tile.colour, width=3)
        for line, (text, colour) in enumerate([(tile.title, INK), (tile.detail, FAINT)]):
            height = top + THUMB + 3 + line * LINE
            pen.text((left, height), lettering.fitted(text, THUMB), colour, lettering.font)
    return sheet
