import numpy as np
import pytest
from PIL import Image, ImageFont

from model.exploration.sheets import (
    COLUMNS,
    GAP,
    LINE,
    THUMB,
    Lettering,
    Tile,
    contact_sheet,
    find_lettering,
    thumbnail,
)
from model.exploration.survey import survey

ACROSS, DOWN = THUMB + 2 * GAP, THUMB + 2 * LINE + 2 * GAP


@pytest.fixture
def latin():
    """Pillow's own font."""
    return find_lettering(candidates=["no-such-font.ttf"])


def test_a_thumbnail_keeps_the_proportions_and_an_unreadable_one_is_a_grey_square(gallery):
    seen = survey(gallery.files, workers=1)
    assert thumbnail(gallery, seen, 0, 60).size == (60, 45)
    assert thumbnail(gallery, seen, 7, 60).size == (30, 60)
    grey = thumbnail(gallery, seen, 10, 60)
    assert grey.size == (60, 60)
    assert set(np.unique(np.array(grey))) == {128}


def test_a_thumbnail_shows_the_whole_picture(gallery):
    seen = survey(gallery.files, workers=1)
    small = np.array(thumbnail(gallery, seen, 0, 64), dtype=float)
    path = gallery.files.folder / gallery.names[0]
    with Image.open(path) as whole:
        plain = np.array(whole.resize((64, 48), Image.Resampling.BILINEAR), dtype=float)
    # At the edge some of the grey around the picture shines through.
    assert np.abs(small - plain)[3:-3, 3:-3].mean() < 4


def test_a_sheet_has_full_rows_and_each_picture_in_its_place(latin):
    colours = [(250, 10 * number, 0) for number in range(COLUMNS + 2)]
    tiles = [Tile(Image.new("RGB", (40, 30), colour), "t") for colour in colours]
    sheet = contact_sheet(tiles, latin)
    assert sheet.size == (COLUMNS * ACROSS, 2 * DOWN)
    for place, colour in enumerate(colours):
        row, column = divmod(place, COLUMNS)
        centre = column * ACROSS + ACROSS // 2, row * DOWN + GAP + THUMB // 2
        assert sheet.getpixel(centre) == colour
    assert sheet.getpixel((sheet.width - 5, sheet.height - 5)) == (255, 255, 255)


def test_letters_that_the_font_lacks_become_dots_not_boxes(latin):
    assert not latin.korean
    assert latin.legible("사진 é1.jpg") == "·· é1.jpg"
    assert latin.writes("class 2")
    assert not latin.writes("착용샷")


def test_a_korean_font_writes_everything():
    lettering = Lettering(ImageFont.load_default(13), korean=True)
    assert lettering.legible("착용샷") == "착용샷"


def test_long_names_keep_their_end_within_the_width(latin):
    text = latin.fitted("0123456789abcdef" * 4 + ".jpg", 80)
    assert text.endswith(".jpg")
    assert text.startswith("…")
    assert latin.font.getlength(text) <= 80
    assert latin.fitted("a.jpg", 80) == "a.jpg"
