"""The real sets: archives drawn here in the published form, read, resized and scored."""

import io
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import f1_score

from benchmarks.real_data import SETS, Pictures, load_set, resized
from model.augment.framing import CenterCrop, Resize
from model.batch import UNKNOWN_LABEL


def jpegs(count, size, seed):
    """Smooth random pictures as files end to end, with their offsets."""
    rng = np.random.default_rng(seed)
    files = []
    for _ in range(count):
        coarse = rng.integers(0, 256, size=(4, 3, 3), dtype=np.uint8)
        file = io.BytesIO()
        Image.fromarray(coarse).resize(size, Image.Resampling.BILINEAR).save(file, "JPEG")
        files.append(np.frombuffer(file.getvalue(), dtype=np.uint8))
    return np.concatenate(files), np.cumsum([0, *map(len, files)])


@pytest.fixture
def folder(tmp_path):
    jpeg, offset = jpegs(12, (6, 8), seed=0)
    rows = np.arange(12)
    shop: dict[str, Any] = {
        **{"jpeg": jpeg, "offset": offset, "group": rows // 2, "is_test": rows >= 8},
        **{"given": (rows % 5).astype(np.uint8), "clean": ((rows + 1) % 5).astype(np.uint8)},
        **{"large": rows % 2, "large_names": np.array(["coats", "shoes"])},
        **{"middle": rows % 3, "middle_names": np.array(["a", "b", "c"])},
        "class_names": np.array(["Women", "Unisex", "Girls", "Boys", "Men"]),
    }
    np.savez(tmp_path / "fashion5_dev.npz", **shop)
    test_jpeg, test_offset = jpegs(10, (32, 32), seed=1)
    train_jpeg, train_offset = jpegs(10, (32, 32), seed=2)
    digits = np.arange(10, dtype=np.uint8)
    cifar: dict[str, Any] = {
        **{"jpeg": train_jpeg, "offset": train_offset, "clean": digits},
        **{"test_jpeg": test_jpeg, "test_offset": test_offset, "test_clean": digits},
        **{"aggre": digits, "random1": digits[::-1], "bal10": np.arange(10)[::-1]},
        **{"imb5_aggre": np.array([7, 3]), "imb5m_aggre": np.array([5, 4, 6])},
        "imb5_classes": np.array([3, 4, 6, 7, 5], dtype=np.uint8),
        "class_names": np.array(list("abcdefghij")),
    }
    np.savez(tmp_path / "cifar10n_dev.npz", **cifar)
    return tmp_path


def test_a_box_is_resized_as_pillow_does_it_up_to_rounding():
    pixels = np.random.default_rng(0).integers(0, 256, size=(4, 40, 30, 3), dtype=np.uint8)
    boxes = np.array([[0, 0, 30, 40], [3.5, 2.25, 20.5, 33], [7, 9, 12, 14], [0, 0, 8, 8]])
    got = resized(torch.from_numpy(pixels), boxes, 8).numpy()
    for picture, box, square in zip(pixels, boxes, got, strict=True):
        reference = Image.fromarray(picture).resize(
            (8, 8), Image.Resampling.BILINEAR, box=tuple(box)
        )
        difference = np.abs(square.astype(int) - np.asarray(reference))
        assert difference.max() <= 1


def test_a_box_of_the_wanted_size_is_copied_exactly():
    pixels = np.random.default_rng(0).integers(0, 256, size=(2, 9, 9, 3), dtype=np.uint8)
    got = resized(torch.from_numpy(pixels), np.array([[1, 2, 6, 7.0]] * 2), 5)
    assert np.array_equal(got, pixels[:, 2:7, 1:6])


def test_batches_come_in_the_asked_order_and_the_last_may_be_smaller():
    pixels = np.arange(5, dtype=np.uint8).repeat(12).reshape(5, 2, 2, 3)
    pictures = Pictures(pixels, np.arange(5), [()] * 5, np.arange(5))
    order = np.array([4, 0, 3])
    batches = list(pictures.batches(order, batch_size=2, framing=CenterCrop(2, 1.0), workers=0))
    assert [batch.indices.tolist() for batch in batches] == [[4, 0], [3]]
    assert batches[0].images[:, 0, 0, 0].tolist() == [4, 0]
    assert batches[1].labels.tolist() == [3]


def test_padding_is_refused():
    pictures = Pictures(np.zeros((1, 2, 2, 3), np.uint8), np.zeros(1, int), [()], np.arange(1))

    class Padding(Resize):
        pads = True

    with pytest.raises(ValueError, match="cannot be padded"):
        next(pictures.batches(np.arange(1), batch_size=1, framing=Padding(2), workers=0))


def test_the_shop_photographs_are_split_with_given_labels_to_learn_and_true_ones_to_score(folder):
    shop = load_set("fashion5_dev", folder)
    assert (len(shop.train), len(shop.test)) == (8, 4)
    assert shop.train.labels.tolist() == [0, 1, 2, 3, 4, 0, 1, 2]
    assert shop.train_truth.tolist() == [1, 2, 3, 4, 0, 1, 2, 3]
    assert shop.test_labels.tolist() == [4, 0, 1, 2]
    assert (shop.test.labels == UNKNOWN_LABEL).all()
    assert shop.train.categories[:3] == [("coats", "a"), ("shoes", "b"), ("coats", "c")]
    assert shop.train.duplicate_groups(0).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_competition_sets_renumber_five_classes_and_weigh_them_by_their_shares(folder):
    five = load_set("imb5_aggre", folder)
    assert five.class_names == ("d", "e", "g", "h", "f")
    assert five.train.labels.tolist() == [3, 0]
    assert five.test_labels.tolist() == [0, 1, 4, 2, 3]
    assert np.allclose(five.class_weights * 34.3, [33, 25, 1.5, 12, 100])
    assert load_set("imb5m_aggre", folder).train.labels.tolist() == [4, 1, 2]


def test_the_balanced_set_keeps_its_ten_classes(folder):
    ten = load_set("bal10_random1", folder)
    assert ten.train.labels.tolist() == list(range(10))
    assert ten.train_truth.tolist() == list(range(9, -1, -1))
    assert (ten.class_weights == 1).all()


def test_weighted_scores_equal_those_of_scikit_learn(folder):
    five = load_set("imb5_aggre", folder)
    predicted = np.array([0, 0, 4, 3, 4])
    expected = f1_score(
        five.test_labels,
        predicted,
        average=None,  # pyright: ignore[reportArgumentType]
        sample_weight=five.class_weights[five.test_labels],
    )
    assert np.allclose(five.score(predicted), expected)


def test_a_missing_archive_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="cifar10n_dev"):
        load_set("imb5_aggre", tmp_path)


def test_every_set_names_its_archive():
    assert list(SETS) == ["fashion5_dev", "imb5_aggre", "imb5m_aggre", "bal10_random1"]
