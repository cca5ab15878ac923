"""The submission from its command line: real folders, real processes, no platform."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

import data_loader
import main
import model
from model.rehearsal import draw_dataset, rehearse

TINY = ["backbone=narrow", "narrow_width=4", "hidden_size=8", "image_size=16", "batch_size=12"]
TINY += ["ema_decay=0.9", "loader_workers=1"]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    """40 random pictures in five classes; a path with a space and letters of two scripts."""
    folder = tmp_path_factory.mktemp("내 데이터") / "ü 1"
    draw_dataset(folder / "drawn", num_classes=5, seed=0)
    data_loader.slice_dataset(folder / "drawn", folder / "data", 8)
    return folder / "data"


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch, root):
    """Runs in a folder of its own; child processes find the library and use one thread."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(root / "nsml_shim" / "site") + os.pathsep + str(root))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("NSML_WORKERS", raising=False)
    torch.set_num_threads(1)


def arguments(dataset: Path, checkpoints: str, *settings: str) -> list[str]:
    fields = [word for setting in (*TINY, *settings) for word in ("--set", setting)]
    return ["--recipe", "smoke", *fields, "--data", str(dataset), "--checkpoints", checkpoints]


def document(checkpoint: str) -> dict:
    return json.loads(Path(checkpoint, "checkpoint.json").read_text(encoding="utf-8"))


def tensors(checkpoint: str) -> dict[str, torch.Tensor]:
    folder = Path(checkpoint)
    return {
        f"{file}:{name}": value
        for file in ("network.safetensors", "training.safetensors")
        for name, value in load_file(folder / file).items()
    }


def assert_bit_equal(first: str, second: str) -> None:
    ours, others = tensors(first), tensors(second)
    assert ours.keys() == others.keys()
    assert [name for name in ours if not torch.equal(ours[name], others[name])] == []


def test_it_trains_and_predicts_from_the_checkpoint_alone(dataset, capsys):
    assert main.main(arguments(dataset, "kept", "epochs=2")) == 0
    told = capsys.readouterr().out
    assert "Recipe smoke: " in told
    assert "epoch 2/2: train loss" in told
    assert "Best: epoch" in told
    assert main.main(["--mode", "test", "--load", "kept/best", "--data", str(dataset)]) == 0
    table = pd.read_csv("prediction.csv")
    assert list(table.columns) == ["image_name", "y_pred"]
    assert sorted(table["image_name"]) == data_loader.read_test(dataset / "test").names
    assert table["y_pred"].between(0, 4).all()
    assert not list(Path("kept").glob(".*"))


def test_a_seed_gives_the_same_weights_bit_for_bit_whatever_the_loader_workers(dataset):
    main.main(arguments(dataset, "none", "epochs=2", "loader_workers=0", "drop_rate=0.3"))
    main.main(arguments(dataset, "three", "epochs=2", "loader_workers=3", "drop_rate=0.3"))
    assert_bit_equal("none/last", "three/last")


def test_training_goes_on_after_a_kill_as_if_nothing_had_happened(dataset, root):
    settings = ("epochs=6", "drop_rate=0.3")
    main.main(arguments(dataset, "whole", *settings))
    command = [sys.executable, str(root / "main.py"), *arguments(dataset, "parts", *settings)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            # The line of an epoch comes before its save, so after three epochs wait for the fourth.
            if line.startswith("epoch 4/6: train loss"):
                process.send_signal(signal.SIGKILL)
                break
    done = document("parts/last")["progress"]["epoch"]
    assert process.returncode == -signal.SIGKILL
    assert 3 <= done <= 4
    main.main([*arguments(dataset, "parts", *settings), "--load", "parts/last"])
    assert document("parts/last")["progress"]["epoch"] == 6
    assert_bit_equal("whole/last", "parts/last")


@pytest.mark.usefixtures("loopback")
def test_two_ranks_follow_the_loss_curve_of_one(dataset, monkeypatch):
    # A network without batch statistics, so that splitting a batch changes only the rounding.
    settings = ("backbone=test_vit", "image_size=32", "precision=fp32", "epochs=2", "batch_size=13")
    settings += ("learning_rate=0.001", "ema_decay=0.5")
    main.main(arguments(dataset, "one", *settings))
    monkeypatch.setenv("NSML_WORKERS", "2")
    main.main(arguments(dataset, "two", *settings))
    ours, others = (document(f"{name}/last")["progress"]["history"] for name in ("two", "one"))
    assert len(ours) == len(others) == 2
    for mine, theirs in zip(ours, others, strict=True):
        for key in ("train_loss", "valid_loss"):
            assert mine[key] == pytest.approx(theirs[key], rel=1e-4)
        assert mine["class_f1"] == theirs["class_f1"]
        assert (mine["step"], mine["skipped"]) == (theirs["step"], theirs["skipped"])
    one, two = tensors("one/last"), tensors("two/last")
    assert max((one[n].float() - two[n].float()).abs().max().item() for n in one) < 5e-3


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads /proc")
@pytest.mark.usefixtures("loopback")
def test_a_killed_rank_ends_the_training(dataset, root, monkeypatch):
    monkeypatch.setenv("NSML_WORKERS", "2")
    command = [sys.executable, str(root / "main.py"), *arguments(dataset, "kept", "epochs=5000")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, text=True, stdout=pipe, stderr=pipe) as process:
        assert process.stdout is not None
        assert any(line.startswith("epoch 1/") for line in process.stdout)
        (rank,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        killed = time.monotonic()
        os.kill(int(rank), signal.SIGKILL)
        _, stderr = process.communicate(timeout=30)
    assert time.monotonic() - killed < 10
    assert process.returncode == 1
    assert "rank 1 was killed by signal 9 (SIGKILL)" in stderr


def test_a_dry_run_of_this_submission_passes(capsys):
    assert main.main(["--dry-run", "--recipe", "smoke"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[:-1]] == ["data", "train", "save", "infer", "score"]
    assert lines[-1] == "dry run passed"


@pytest.mark.parametrize(
    ("save", "message"),
    [
        (lambda folder: None, "FAILED save .*wrote nothing"),
        (lambda folder: Path(folder, "weights").write_text("?"), r"FAILED infer .*\n.*it lacks"),
    ],
    ids=["saves nothing", "saves something else"],
)
def test_a_dry_run_finds_a_broken_save(dataset, root, tmp_path, save, message):
    rehearsal = model.Rehearsal(
        folder=tmp_path,
        recipe=model.override(model.find_recipe("smoke"), TINY),
        class_names=data_loader.CLASS_NAMES,
        read_train=data_loader.read_train,
        slice_dataset=data_loader.slice_dataset,
        keep=lambda trainee: None,
        save=save,
        command=(sys.executable, str(root / "main.py")),
    )
    lines: list[str] = []
    assert not rehearse(rehearsal.steps(dataset, None), lines.append, expected=main.USER_ERRORS)
    assert re.search(message, "\n".join(lines))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "No dataset was given"),
        (["--data", "nowhere"], "nowhere"),
        (["--recipe", "smoek", "--data", "x"], "Did you mean smoke"),
        (["--set", "epoch=1", "--data", "x"], "no field 'epoch'"),
        (["--mode", "test", "--data", "x"], "There is no network yet"),
        (["--load", "nowhere", "--data", "x"], "no complete checkpoint"),
    ],
    ids=["no data", "no folder", "recipe", "field", "no checkpoint", "no such checkpoint"],
)
def test_a_user_s_mistake_is_explained_without_a_traceback(given, message, capsys):
    assert main.main(given) == 2
    told = capsys.readouterr()
    assert message in told.err
    assert told.err.startswith("Error: ")
    assert "Traceback" not in told.err


def test_a_checkpoint_s_recipe_wins_over_the_command_line(dataset, capsys):
    main.main(arguments(dataset, "kept", "epochs=1"))
    main.main([*arguments(dataset, "kept", "epochs=9"), "--load", "kept/last"])
    told = capsys.readouterr().out
    assert "Continuing smoke after epoch 1 of 1" in told
    assert "the checkpoint's recipe holds; ignored: epochs=9" in told
    assert document("kept/last")["progress"]["epoch"] == 1
