import numpy as np
import pytest

from model.errors import TrainingError
from model.split import stratified_split

NAMES = ("worn", "placed", "swatch")


def test_each_class_gives_its_share_and_nobody_is_on_both_sides():
    labels = np.repeat([0, 1, 2, -1], [100, 50, 3, 7])
    split = stratified_split(labels, NAMES, share=0.2, seed=0)
    assert np.bincount(labels[split.valid]).tolist() == [20, 10, 1]
    assert sorted([*split.train, *split.valid]) == list(range(153))


def test_the_seed_decides_who_is_held_out():
    labels = np.repeat([0, 1, 2], 40)
    first = stratified_split(labels, NAMES, share=0.2, seed=0)
    again = stratified_split(labels, NAMES, share=0.2, seed=0)
    other = stratified_split(labels, NAMES, share=0.2, seed=1)
    assert np.array_equal(first.valid, again.valid)
    assert not np.array_equal(first.valid, other.valid)


def test_a_class_with_one_image_cannot_be_held_out():
    with pytest.raises(TrainingError, match=r"Class 2 \(swatch\) has 1 training images"):
        stratified_split(np.array([0, 0, 1, 1, 2]), NAMES, share=0.2, seed=0)
