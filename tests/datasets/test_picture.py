import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from review_synthesis.difficulty import Difficulty
from review_synthesis.looks import LOOKS
from review_synthesis.picture import draw_picture, picture_size
from review_synthesis.plan import SHARES, plan_reviews


@pytest.fixture(scope="module")
def review():
    return plan_reviews(1, "train", 50, SHARES, Difficulty())[0]


def sizes(scale, count):
    rng = np.random.default_rng(0)
    return np.array([picture_size(rng, scale) for _ in range(count)]).T


def test_full_scale_has_the_sizes_of_the_real_pictures():
    width, height = sizes("full", 4000)
    assert height.min() >= 49
    assert width.min() >= 52
    assert max(width.max(), height.max()) == 1280
    assert height.mean() == pytest.approx(1117, rel=0.02)
    assert width.mean() == pytest.approx(1025, rel=0.02)


def test_demo_pictures_are_small():
    width, height = sizes("demo", 1000)
    assert min(width.min(), height.min()) >= 64
    assert max(width.max(), height.max()) <= 160


@pytest.mark.parametrize("look", LOOKS)
def test_every_look_draws_something_at_both_ends_of_the_evidence(review, look):
    for evidence in (0.0, 1.0):
        jpeg = draw_picture(1, "demo", replace(review, look=look, evidence=evidence))
        pixels = np.asarray(Image.open(io.BytesIO(jpeg)))
        assert pixels.std() > 4


def test_the_same_review_gives_the_same_bytes(review):
    assert draw_picture(1, "demo", review) == draw_picture(1, "demo", review)
    assert draw_picture(2, "demo", review) != draw_picture(1, "demo", review)
    assert draw_picture(1, "demo", replace(review, index=9)) != draw_picture(1, "demo", review)


def test_drawing_leaves_global_randomness_alone(review):
    np.random.seed(0)
    before = np.random.random(3)
    np.random.seed(0)
    draw_picture(1, "demo", review)
    assert (np.random.random(3) == before).all()


def test_full_scale_pictures_are_large_and_vary_in_quality():
    reviews = plan_reviews(1, "train", 50, SHARES, Difficulty())[:8]
    pictures = [Image.open(io.BytesIO(draw_picture(1, "full", review))) for review in reviews]
    assert max(max(picture.size) for picture in pictures) == 1280
    assert all(isinstance(picture, JpegImageFile) for picture in pictures)
    tables = {tuple(getattr(picture, "quantization")[0]) for picture in pictures}  # noqa: B009
    assert len(tables) > 3
