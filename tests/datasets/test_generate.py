import csv
import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from review_synthesis.layout import Order, write_dataset

OWNER = Path(__file__).parents[2] / "datasets" / "review_img"
IMAGES = 60


def rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def digests(root):
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def make(target, **order):
    write_dataset(target, Order(images=50, **order), lambda done, total: None)
    return digests(target)


def run(*arguments):
    return subprocess.run(
        [sys.executable, str(OWNER / "generate.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_tree_is_the_one_that_participants_know(small_dataset):
    label = rows(small_dataset / "train" / "train_label")
    assert list(label[0]) == [*(f"category_{n}" for n in (1, 2, 3, 4)), "answer", "image_name"]
    pictures = {path.name for path in (small_dataset / "train" / "train_data").iterdir()}
    assert pictures == {row["image_name"] for row in label}
    assert len(label) == IMAGES
    assert {path.name for path in small_dataset.iterdir()} == {
        *("train", "test", "test_submit"),
        *("data_loader.py", "evaluation.py", "dataset.toml"),
    }


@pytest.mark.parametrize(("split", "count"), [("test", IMAGES // 4), ("test_submit", 40)])
def test_the_test_side_has_its_metadata_among_the_pictures(small_dataset, split, count):
    folder = small_dataset / split / "test_data"
    asked = rows(folder / "test_input")
    answers = rows(small_dataset / split / "test_label")
    pictures = {path.name for path in folder.iterdir()} - {"test_input"}
    assert pictures == {row["image_name"] for row in asked}
    assert pictures == {row["image_name"] for row in answers}
    assert len(pictures) == count
    assert "answer" not in asked[0]


def test_the_dry_run_split_has_all_five_classes(small_dataset):
    answers = rows(small_dataset / "test_submit" / "test_label")
    assert Counter(row["answer"] for row in answers) == dict.fromkeys("01234", 8)


def test_true_labels_lie_beside_the_dataset_and_not_inside(small_dataset):
    truth = rows(small_dataset.with_name("demo.truth") / "train_truth")
    given = {row["image_name"]: row["answer"] for row in rows(small_dataset / "train/train_label")}
    assert {row["image_name"]: row["given"] for row in truth} == given
    assert any(row["given"] != row["true"] for row in truth)
    assert not list(small_dataset.rglob("*truth*"))


def test_every_picture_can_be_read_in_colour(small_dataset):
    for path in small_dataset.rglob("*.jpg"):
        with Image.open(path) as image:
            image.load()
            assert (image.format, image.mode) == ("JPEG", "RGB")


def test_names_tell_nothing(small_dataset):
    names = [path.name for path in small_dataset.rglob("*.jpg")]
    assert all(re.fullmatch(r"[0-9a-f]{20}\.jpg", name) for name in names)
    answers = [row["answer"] for row in rows(small_dataset / "train" / "train_label")]
    assert answers != sorted(answers)


def test_the_same_seed_gives_the_same_bytes_whatever_the_workers(tmp_path):
    alone = make(tmp_path / "alone", seed=5, workers=1)
    assert alone == make(tmp_path / "shared", seed=5, workers=3)


def test_the_settings_file_says_how_the_platform_scores(small_dataset):
    lines = (small_dataset / "dataset.toml").read_text(encoding="utf-8").splitlines()
    settings = {key: json.loads(value) for key, value in (line.split(" = ") for line in lines)}
    assert settings["metric"] == "custom"
    assert settings["order"] == "descending"
    assert settings["num_classes"] == 5
    assert settings["submit_interval"] == 0
    assert (settings["seed"], settings["images"]) == (3, IMAGES)


def test_a_folder_with_something_in_it_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    refused = run(tmp_path / "mine", "--images", 50)
    assert refused.returncode == 1
    assert "mine is not empty" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "thesis.txt"]


def test_the_truth_of_a_removed_dataset_is_replaced_and_nothing_else(tmp_path):
    leftover = tmp_path / "demo.truth"
    leftover.mkdir()
    (leftover / "train_truth").write_text("image_name,given,true\n")
    make(tmp_path / "demo")
    assert len(rows(leftover / "train_truth")) == 50
    (leftover / "notes").write_text("mine")
    shutil.rmtree(tmp_path / "demo")
    with pytest.raises(FileExistsError, match=r"demo\.truth"):
        make(tmp_path / "demo")


@pytest.mark.parametrize("images", ["49", "many", "-1", "5.5"])
def test_too_few_pictures_are_refused(tmp_path, images):
    refused = run(tmp_path / "new", "--images", images)
    assert refused.returncode == 2
    assert "at least 50" in refused.stderr
    assert not (tmp_path / "new").exists()


def test_a_failure_on_the_way_leaves_nothing_behind(tmp_path):
    def stop(done, total):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_dataset(tmp_path / "new", Order(images=50), stop)
    assert list(tmp_path.iterdir()) == []
