import numpy as np
import pytest

from model.exploration.predictions import read_predictions, write_predictions
from model.out_of_fold import OutOfFold
from model.pixels.table import DataError

NAMES = ["가.jpg", "b,c.jpg", "d.jpg"]
PROBS = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.25, 0.5, 0.25]])


def held_out(pred_probs):
    return OutOfFold(
        np.asarray(pred_probs, dtype=np.float32), given=np.array([0, 2, 1]), folds=np.array([1, 0, -1])
    )  # fmt: skip


def test_the_table_holds_the_mean_of_the_members_that_predicted(tmp_path):
    other = np.array([[0.5, 0.4, 0.1], [np.nan] * 3, [np.nan] * 3])
    mine = np.array([PROBS[0], PROBS[1], [np.nan] * 3])
    path = tmp_path / "out_of_fold.csv"
    write_predictions(path, NAMES, held_out([mine, other]))
    assert path.read_text(encoding="utf-8").splitlines() == [
        "image_name,fold,given,p_0,p_1,p_2",
        "가.jpg,1,0,0.600000,0.300000,0.100000",
        '"b,c.jpg",0,2,0.100000,0.100000,0.800000',
    ]
    found = read_predictions(path, 3)
    assert found.names == NAMES[:2]
    assert found.pred_probs == pytest.approx(np.array([[0.6, 0.3, 0.1], [0.1, 0.1, 0.8]]))


def test_an_archive_of_numpy_says_the_same(tmp_path):
    path = tmp_path / "table.npz"
    np.savez(path, image_name=np.array(NAMES), pred_probs=PROBS.astype(np.float32))
    found = read_predictions(path, 3)
    assert found.names == NAMES
    assert found.pred_probs == pytest.approx(PROBS, abs=1e-6)
    assert found.pred_probs.sum(axis=1) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("image_name,p_0,p_1\na.jpg,1,0\n", "not the probabilities of 3 classes"),
        ("image_name,p_0,p_1,p_2,p_3\na.jpg,1,0,0,0\n", "not the probabilities of 3 classes"),
        ("image_name,p_0,p_1,p_2\na.jpg,1,0\n", "line 2: not a picture and 3 probabilities"),
        ("image_name,p_0,p_1,p_2\na.jpg,1,0,x\n", "line 2: not a picture and 3 probabilities"),
        ("image_name,p_0,p_1,p_2\na.jpg,2.5,-1,0.1\n", "the probabilities of 'a.jpg'"),
        ("image_name,p_0,p_1,p_2\na.jpg,nan,0,1\n", "the probabilities of 'a.jpg'"),
        ("", "not the probabilities"),
    ],
)
def test_a_table_that_is_something_else_is_refused(tmp_path, content, message):
    path = tmp_path / "out_of_fold.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        read_predictions(path, 3)
    assert len(str(caught.value).split("\n")) == 3


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"pred_probs": PROBS}, "cannot be used"),
        ({"image_name": np.array(NAMES), "pred_probs": PROBS[:2]}, "3 names"),
        ({"image_name": np.array(NAMES), "pred_probs": PROBS[:, :2]}, "3 names"),
        ({"image_name": np.array(["a", "a", "b"]), "pred_probs": PROBS}, "3 names"),
        ({"image_name": np.array(NAMES, dtype=object), "pred_probs": PROBS}, "cannot be used"),
    ],
)
def test_an_archive_that_is_something_else_is_refused(tmp_path, arrays, message):
    path = tmp_path / "table.npz"
    np.savez(path, **arrays)
    with pytest.raises(DataError, match=message):
        read_predictions(path, 3)


def test_a_missing_file_is_named(tmp_path):
    for name in ("none.csv", "none.npz"):
        with pytest.raises(DataError, match=name):
            read_predictions(tmp_path / name, 3)
