"""Draw the contact sheets of docs/dataset.md: `python contact_sheets.py OUT`."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from review_synthesis.catalog import CLASS_NAMES
from review_synthesis.difficulty import Difficulty
from review_synthesis.picture import draw_picture
from review_synthesis.plan import Review, class_shares, plan_reviews

COLUMNS, ROWS = 8, 3
TILE = 120
"""Side of the square that a picture is fitted into, pixels."""
POOL = 3000
"""Reviews to pick from; enough of them that the rarest class fills its sheet."""


def contact_sheet(seed: int, reviews: Sequence[Review]) -> Image.Image:
    """The pictures, at full scale and then made small, in rows."""
    sheet = Image.new("RGB", (COLUMNS * TILE, ROWS * TILE), "white")
    for place, review in enumerate(reviews[: COLUMNS * ROWS]):
        picture = Image.open(io.BytesIO(draw_picture(seed, "full", review)))
        picture.thumbnail((TILE - 4, TILE - 4), Image.Resampling.LANCZOS)
        left = place % COLUMNS * TILE + (TILE - picture.width) // 2
        top = place // COLUMNS * TILE + (TILE - picture.height) // 2
        sheet.paste(picture, (left, top))
    return sheet


def main(arguments: Sequence[str]) -> int:
    """Write one JPEG per class into a folder; returns the exit code."""
    parser = argparse.ArgumentParser(prog="contact_sheets.py", description="Show each class.")
    parser.add_argument("out", type=Path, help="folder for the sheets; made if it is not there")
    parser.add_argument("--seed", type=int, default=0, help="seed of the pictures")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    shares = class_shares("demo", balanced=False)
    reviews = plan_reviews(options.seed, "train", POOL, shares, Difficulty())
    for label, name in enumerate(CLASS_NAMES):
        path = options.out / f"review_img_{name}.jpg"
        of_class = [review for review in reviews if review.answer == label]
        contact_sheet(options.seed, of_class).save(path, quality=82)
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
