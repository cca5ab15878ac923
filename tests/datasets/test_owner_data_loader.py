import importlib.util
from pathlib import Path

import pandas as pd
import pytest

import nsml

SCRIPT = Path(__file__).parents[2] / "datasets" / "review_img" / "data_loader.py"


@pytest.fixture
def owner(monkeypatch):
    """The owner's file, loaded under a private name as the platform does."""
    monkeypatch.setattr(nsml, "DATASET_PATH", "/data/review_img")
    spec = importlib.util.spec_from_file_location("owner_data_loader", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_infer_gets_the_test_folder_and_its_table_is_written(owner, tmp_path):
    asked = []

    def infer(root):
        asked.append(root)
        return pd.DataFrame({"image_name": ["a.jpg", "b.jpg"], "y_pred": [4, 0]})

    owner.feed_infer(str(tmp_path / "pred.txt"), infer)
    assert asked == ["/data/review_img/test"]
    written = pd.read_csv(tmp_path / "pred.txt", index_col=0)
    assert written.to_dict("list") == {"image_name": ["a.jpg", "b.jpg"], "y_pred": [4, 0]}


def test_an_empty_prediction_is_an_error(owner, tmp_path):
    def infer(root):
        return pd.DataFrame({"image_name": [], "y_pred": []})

    with pytest.raises(AssertionError, match="output result of inference is nothing"):
        owner.feed_infer(str(tmp_path / "pred.txt"), infer)


def test_something_else_than_a_table_is_an_error_that_says_what_is_expected(owner, tmp_path):
    with pytest.raises(TypeError, match="infer returned list; expected a pandas DataFrame"):
        owner.feed_infer(str(tmp_path / "pred.txt"), lambda root: [1, 2, 3])


def test_the_loader_for_older_platforms_names_the_same_folder(owner):
    assert owner.test_data_loader("/data/review_img") == "/data/review_img/test"
