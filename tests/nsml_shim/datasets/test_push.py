from pathlib import Path

import pytest

from nsml_shim.datasets.catalog import open_version, read_settings
from nsml_shim.datasets.push import Pushed, push
from nsml_shim.errors import BadDataset


def push_quietly(source: Path, into: Path, newest: int = 0) -> Pushed:
    return push(source, into, newest=newest, progress=lambda done, total: None)


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_labels_and_evaluator_are_in_no_view(toy: Path, tmp_path: Path):
    push_quietly(toy, tmp_path / "datasets" / "toy")
    dataset = open_version(tmp_path / "datasets", "toy", 1)
    train = {"train/train_data", "train/train_label", "data_loader.py"}
    assert names(dataset.run_view) == train
    assert names(dataset.submit_view) == {"test/test_data", "data_loader.py"}
    assert names(dataset.trial_view) == {"test/test_data", "data_loader.py"}
    assert dataset.evaluator is not None
    labels = [dataset.labels(trial=trial) for trial in (False, True)]
    assert [path and path.read_text() for path in labels] == ["1\n1\n0\n1\n", "1\n0\n"]


def test_a_dry_run_without_data_of_its_own_sees_the_test_data(toy: Path, tmp_path: Path):
    for path in (toy / "test_submit").iterdir():
        path.unlink()
    (toy / "test_submit").rmdir()
    push_quietly(toy, tmp_path / "datasets" / "toy")
    dataset = open_version(tmp_path / "datasets", "toy", 1)
    assert dataset.trial_view == dataset.submit_view
    assert dataset.labels(trial=True) == dataset.labels(trial=False)


def test_labels_that_carry_an_extension_are_hidden_too(toy: Path, tmp_path: Path):
    (toy / "test" / "test_label.csv").write_text("secret")
    push_quietly(toy, tmp_path / "toy")
    assert not any("label" in name for name in names(tmp_path / "toy" / "v1" / "submit"))


def test_pushing_the_same_files_again_changes_nothing(toy: Path, tmp_path: Path):
    assert push_quietly(toy, tmp_path / "toy").changed
    again = push_quietly(toy, tmp_path / "toy", newest=1)
    assert (again.version, again.changed) == (1, False)


def test_a_changed_file_makes_a_new_version_and_keeps_the_old_one(toy: Path, tmp_path: Path):
    push_quietly(toy, tmp_path / "toy")
    (toy / "train" / "train_data").write_text("a\nb\nc\n")
    again = push_quietly(toy, tmp_path / "toy", newest=1)
    assert (again.version, again.changed) == (2, True)
    texts = [tmp_path / "toy" / v / "run" / "train" / "train_data" for v in ("v1", "v2")]
    assert [path.read_text() for path in texts] == ["a\nb\n", "a\nb\nc\n"]


def test_a_push_that_is_interrupted_leaves_nothing_visible(toy: Path, tmp_path: Path):
    def interrupt(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        push(toy, tmp_path / "toy", newest=0, progress=interrupt)
    assert list((tmp_path / "toy").iterdir()) == []


def test_the_rest_of_a_push_that_died_before_it_was_recorded_is_replaced(toy: Path, tmp_path: Path):
    push_quietly(toy, tmp_path / "toy")  # the store never heard of it: newest is still 0
    assert push_quietly(toy, tmp_path / "toy").version == 1


def test_a_folder_without_files_is_refused(tmp_path: Path):
    with pytest.raises(BadDataset, match="holds no files"):
        push_quietly(tmp_path, tmp_path / "toy")


@pytest.mark.parametrize("missing", ["data_loader.py", "evaluation.py"])
def test_labels_without_what_scores_them_are_refused(toy: Path, tmp_path: Path, missing: str):
    (toy / missing).unlink()
    with pytest.raises(BadDataset, match=missing):
        push_quietly(toy, tmp_path / "toy")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('metric = "auc"', "metric is 'auc'; expected one of"),
        ('order = "up"', "order is 'up'"),
        ("submit_interval = -1", "a number, 0 or more"),
        ('allow_unsandboxed = "yes"', "true or false"),
        ("description = 3", "a string"),
        ("metric = ", "TOML"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, line: str, words: str):
    (tmp_path / "dataset.toml").write_text(line)
    with pytest.raises(BadDataset, match=words):
        read_settings(tmp_path / "dataset.toml")


def test_keys_the_platform_does_not_know_are_the_owners_own_notes(tmp_path: Path):
    (tmp_path / "dataset.toml").write_text('seed = 7\ndescription = "x"\n')
    assert read_settings(tmp_path / "dataset.toml").description == "x"
