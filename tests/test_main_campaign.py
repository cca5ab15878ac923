"""Recipes with several trainings, from the command line: real folders, real processes."""

import json
import os
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
from model.rehearsal import draw_dataset

TINY = ["backbone=narrow", "narrow_width=4", "hidden_size=8", "image_size=16", "batch_size=16"]
TINY += ["ema_decay=0.9", "loader_workers=1", "epochs=2", "pretrained=false", "drop_rate=0"]
TINY += ["image_sizes=16,24", "folds=2", "filter_rounds=1", "group_duplicates=false"]
TINY += ["finetune_epochs=0"]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
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


def arguments(dataset: Path, checkpoints: str, *settings: str, recipe: str = "final") -> list[str]:
    fields = [word for setting in (*TINY, *settings) for word in ("--set", setting)]
    return ["--recipe", recipe, *fields, "--data", str(dataset), "--checkpoints", checkpoints]


def networks(checkpoint: str) -> dict[str, torch.Tensor]:
    return {
        f"{path.parent.name}:{name}": value
        for path in sorted(Path(checkpoint).rglob("network.safetensors"))
        for name, value in load_file(path).items()
    }


def test_the_final_recipe_leaves_an_ensemble_its_tables_and_a_readable_report(dataset, capsys):
    assert main.main(arguments(dataset, "out")) == 0
    told = capsys.readouterr().out
    assert "Noise filter label_issues" in told
    assert "24 px, fold 2 of 2: epoch 2/2: train loss" in told
    table = told.partition("training  ")[2].splitlines()
    assert table[0].split() == ["epoch", "valid", "gmean-F1", "weight"]
    assert table[6].startswith("cross-check 1, fold 2 of 2  ")
    assert "Prediction costs 6 networks per picture" in told
    table = pd.read_csv("out/best/out_of_fold.csv", encoding="utf-8-sig")
    assert len(table) == 40
    assert list(table)[:3] == ["image_name", "fold", "given"]
    assert Path("out/best/corrections.csv").is_file()
    infer = ["--mode", "infer", "--load", "out/best", "--data", str(dataset)]
    assert main.main(infer) == 0
    predicted = pd.read_csv("prediction.csv")
    assert sorted(predicted.image_name) == sorted(
        p.name for p in dataset.glob("test/test_data/*.jpg")
    )


def test_a_killed_campaign_goes_on_to_the_same_ensemble_on_two_ranks(dataset, tmp_path):
    command = [sys.executable, main.__file__]
    environment = {**os.environ, "NSML_WORKERS": "2"}
    given = arguments(dataset, "cut", "noise_filter=none")
    process = subprocess.Popen([*command, *given], env=environment, stdout=subprocess.DEVNULL)
    document = Path("cut/last/campaign.json")
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            if len(json.loads(document.read_text(encoding="utf-8"))["finished"]) >= 2:
                break
        except FileNotFoundError:
            pass
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    resumed = [*arguments(dataset, "cut", "noise_filter=none"), "--load", "cut/last"]
    subprocess.run([*command, *resumed], env=environment, check=True, stdout=subprocess.DEVNULL)
    whole = arguments(dataset, "whole", "noise_filter=none")
    subprocess.run([*command, *whole], env=environment, check=True, stdout=subprocess.DEVNULL)
    one, two = networks("cut/best"), networks("whole/best")
    assert one.keys() == two.keys()
    assert len(one) > 4
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_checkpoints_of_two_trainings_are_joined_into_one_that_predicts(dataset, capsys):
    plain = ("image_sizes=", "noise_filter=none", "tta=none")
    for seed in ("0", "1"):
        assert main.main([*arguments(dataset, f"seed{seed}", *plain), "--seed", seed]) == 0
    places = ["--ensemble", "seed0/best", "--ensemble", "seed1/best"]
    assert main.main([*arguments(dataset, "joined"), *places]) == 0
    assert "Joined 2 checkpoints, 4 networks" in capsys.readouterr().out
    infer = ["--mode", "infer", "--load", "joined/best", "--data", str(dataset)]
    assert main.main(infer) == 0
    assert len(pd.read_csv("prediction.csv")) == 40


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--ensemble", "nowhere"], "--ensemble nowhere: no such folder"),
        (["--tune", "-1"], "--tune is -1; give the number of trials"),
        (["--labels", "missing.csv"], "missing.csv is no file"),
    ],
)
def test_a_user_s_mistake_is_explained(dataset, capsys, extra, message):
    given = [*arguments(dataset, "out", recipe="smoke"), *extra]
    assert main.main(given) == 2
    assert message in capsys.readouterr().err


def test_a_finished_ensemble_cannot_go_on_learning(dataset, capsys):
    main.main(arguments(dataset, "out", "noise_filter=none", "image_sizes="))
    assert main.main([*arguments(dataset, "out"), "--load", "out/best"]) == 2
    assert "finished ensemble, which cannot go on learning" in capsys.readouterr().err


def test_corrections_of_a_campaign_are_taken_back(dataset, capsys):
    name = sorted(path.name for path in dataset.glob("train/train_data/*.jpg"))[0]
    Path("mine.csv").write_text(f"image_name,answer\n{name},drop\n", encoding="utf-8")
    plain = arguments(dataset, "out", "image_sizes=", "folds=1", recipe="smoke")
    assert main.main([*plain, "--labels", "mine.csv"]) == 0
    assert "Training on 39 pictures" in capsys.readouterr().out


def test_a_search_tells_every_trial_and_trains_the_winner(dataset, capsys):
    plain = arguments(dataset, "out", "image_sizes=", "folds=1", "epochs=1", recipe="smoke")
    assert main.main([*plain, "--tune", "2"]) == 0
    told = capsys.readouterr().out
    assert "trial 1: gmean-F1" in told
    assert "trial 2: gmean-F1" in told
    assert Path("out/best/checkpoint.json").is_file()
