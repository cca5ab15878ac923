"""A small training set with everything in it that there is to find."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.exploration.survey import Gallery
from model.pixels.loader import PictureFiles

CLASS_NAMES = ("착용샷", "발색샷", "<미분류>")


def scene(seed, width=120, height=90):
    """A smooth random picture."""
    coarse = np.random.default_rng(seed).integers(0, 256, size=(6, 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    """Twelve pictures: 0 to 7 differ, 8 copies 0, 9 copies 1, 10 is empty, 11 is cut short.

    Classes 0, 1, 2 take turns, so that the copies 8 and 0 differ in theirs, and 9 and 1 as well.
    """
    folder = tmp_path / "리뷰 set" / "train" / "train_data"
    folder.mkdir(parents=True)
    names = [f"사진 {number}.jpg" for number in range(12)]
    for number, name in enumerate(names):
        scene(number % 8, 120 + number, 90).save(folder / name, "JPEG", quality=90)
    (folder / names[10]).write_bytes(b"")
    whole = (folder / names[11]).read_bytes()
    (folder / names[11]).write_bytes(whole[: len(whole) * 3 // 4])
    scene(11, 100, 200).save(folder / names[7], "JPEG")
    labels = np.arange(12) % 3
    categories = [
        ("식품", "축산물") if number % 2 else ("화장품/미용", "색조") for number in range(12)
    ]
    return Gallery(PictureFiles(folder, names, labels), categories, CLASS_NAMES, ("a note",))
