"""What the owner of a dataset can do, and what others cannot."""

import json

import pytest

from nsml_shim.commands import datasets
from nsml_shim.commands.datasets import Changes
from nsml_shim.commands.platform import Platform
from nsml_shim.errors import BadDataset, InvalidOption, NoSuchDataset
from nsml_shim.settings import Settings


def push(platform: Platform, toy, name: str = "toy", **changes):
    return datasets.push(platform, name, toy, progress=lambda *_: None, changes=Changes(**changes))


def settings(platform: Platform, name: str = "toy"):
    return platform.find_dataset(name).settings


def other(platform: Platform, owner: str = "rival") -> Platform:
    home = platform.settings.home
    return Platform(Settings(home=home, owner=owner, quota=0, max_files=100, max_bytes=2**20))


def test_options_win_over_the_file_and_stay_for_later_versions(platform, toy):
    push(platform, toy, settings={"description": "other words", "order": "ascending"})
    assert settings(platform).description == "other words"
    assert settings(platform).tags == "#toy"
    (toy / "train" / "more").write_text("x")
    assert push(platform, toy).version == 2
    assert (settings(platform).order, settings(platform).submit_interval) == ("ascending", 0)
    datasets.change(platform, "toy", Changes(settings={"description": None}))
    assert settings(platform).description == "four letters"
    (row,) = datasets.visible(platform)
    assert row.description == "four letters"


def test_options_alone_do_not_make_a_version(platform, toy):
    push(platform, toy)
    assert not push(platform, toy, settings={"time_limit": 5.0}).changed
    assert settings(platform).time_limit == 5.0


def test_the_leaderboard_is_a_metric_or_a_script(platform, toy, tmp_path):
    script = tmp_path / "mine.py"
    script.write_text("print(1)")
    (toy / "evaluation.py").unlink()
    with pytest.raises(BadDataset, match=r"no evaluation\.py"):
        push(platform, toy)
    push(platform, toy, leaderboard=str(script))
    assert platform.find_dataset("toy").evaluator.read_text() == "print(1)"
    datasets.change(platform, "toy", Changes(leaderboard="f1"))
    assert settings(platform).metric == "f1"
    script.write_text("print(2)")
    datasets.change(platform, "toy", Changes(leaderboard=str(script)))
    assert settings(platform).metric == "custom"
    assert platform.find_dataset("toy").evaluator.read_text() == "print(2)"
    with pytest.raises(InvalidOption, match="accuracy, mse, f1"):
        datasets.change(platform, "toy", Changes(leaderboard="auc"))


@pytest.mark.parametrize(
    "changes",
    [
        {"order": "upwards"},
        {"tags": "#1 #2 #3 #4 #5 #6 #7 #8"},
        {"tags": "#" + "x" * 50},
    ],
)
def test_nonsense_is_refused_and_changes_nothing(platform, toy, changes):
    push(platform, toy)
    before = settings(platform)
    with pytest.raises(BadDataset):
        datasets.change(platform, "toy", Changes(settings=changes))
    assert settings(platform) == before


def test_a_private_dataset_is_seen_by_its_owner_and_those_let_in(platform, toy):
    push(platform, toy, settings={"private": True})
    assert [row.name for row in datasets.visible(platform)] == ["toy"]
    rival = other(platform)
    assert datasets.visible(rival) == []
    with pytest.raises(NoSuchDataset):
        rival.find_dataset("toy")
    datasets.change(platform, "toy", Changes(users=["rival"]))
    datasets.change(platform, "toy", Changes(users=["third", "rival"]))
    assert settings(platform).users == "rival third"
    assert rival.find_dataset("toy").name == "toy"


def test_only_the_owner_changes_fetches_or_removes_a_dataset(platform, toy, tmp_path):
    push(platform, toy)
    rival = other(platform)
    for action in (
        lambda: datasets.change(rival, "toy", Changes()),
        lambda: datasets.remove(rival, "toy"),
        lambda: datasets.pull(rival, "toy", tmp_path, force=False, told=print),
        lambda: push(rival, toy),
    ):
        with pytest.raises(BadDataset, match="belongs to team; you are rival"):
            action()
    assert not any("label" in name for name in datasets.files(rival, "toy") if "train" not in name)


def test_a_dataset_is_fetched_as_it_was_pushed(platform, toy, tmp_path):
    push(platform, toy)
    (tmp_path / "got").mkdir()
    got = datasets.pull(platform, "toy", tmp_path / "got", force=False, told=lambda _: None)

    def contents(folder):
        return {
            path.relative_to(folder).as_posix(): path.read_text()
            for path in folder.rglob("*")
            if path.is_file()
        }

    assert contents(got) == contents(toy)
    assert set(datasets.files(platform, "toy")) == set(contents(toy))


def test_search_takes_words_and_patterns(platform, toy):
    for name in ("kin_one", "kin_two", "other"):
        push(platform, toy, name)

    def found(pattern, **kwargs):
        return [row.name for row in datasets.search(platform, pattern, **kwargs)]

    assert found("kin") == found("kin_*") == ["kin_one", "kin_two"]
    assert found("kin_???") == ["kin_one", "kin_two"]
    assert found("*", author="nobody") == []


def test_a_removed_dataset_leaves_no_board_behind(nsml, toy):
    nsml("dataset", "push", "toy", str(toy), "-l", "accuracy", "--tag", "a,#b")
    nsml("run", "-d", "toy")
    nsml("logs", "-f", "team/toy/1")
    nsml("submit", "team/toy/1", "best")
    assert (
        json.loads(nsml("dataset", "board", "toy", "-u", "team", "-j").stdout)[0]["score"] == 0.75
    )
    assert json.loads(nsml("dataset", "board", "toy", "-u", "rival", "-j").stdout) == []
    assert json.loads(nsml("dataset", "ls", "-j").stdout)[0]["tags"] == "#a #b"
    nsml("dataset", "change", "toy", "--order", "ascending", "--model-limit", "15MB")
    nsml("dataset", "change", "toy", "--model-limit", "none", "-v")
    nsml("dataset", "rm", "toy")
    assert "There is no dataset 'toy'" in nsml("dataset", "board", "toy", code=1).stderr
    nsml("dataset", "push", "toy", str(toy))
    assert json.loads(nsml("dataset", "board", "toy", "-j").stdout) == []
    assert "Name" in nsml("dataset", "fs", "toy").stdout


def test_a_dataset_in_use_stays(nsml, toy, guest):
    (guest / "main.py").write_text("import time; time.sleep(60)")
    nsml("dataset", "push", "toy", str(toy))
    nsml("dataset", "push", "two", str(toy))
    assert nsml("run", "-d", "toy,two", "-g", "0").stdout == "Session team/toy,two/1 is started\n"
    assert "being used by team/toy,two/1" in nsml("dataset", "rm", "two", code=1).stderr
    assert "team/toy,two/1" in nsml("ps", "-d", "two").stdout
    nsml("stop", "team/toy,two/1")
    nsml("dataset", "rm", "two")
