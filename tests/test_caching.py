"""A training that reads from a picture cache: same weights cold, warm, interrupted or in ranks."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import data_loader
import main
from model.pixels.cache.store import Store
from model.pixels.device import copies
from tests.model.pixels.drawn_pictures import drawing

TINY = ["backbone=narrow", "narrow_width=4", "hidden_size=8", "image_size=16", "batch_size=12"]
TINY += ["ema_decay=0.9", "loader_workers=2"]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Forty pictures that are much larger than their copies."""
    folder = tmp_path_factory.mktemp("data")
    pictures = folder / "train" / "train_data"
    pictures.mkdir(parents=True)
    rows = ["image_name,answer"]
    for i in range(40):
        image = drawing(1100, 800).rotate(9 * i, Image.Resampling.BILINEAR)
        image.save(pictures / f"{i}.jpg", "JPEG", quality=80)
        rows.append(f"{i}.jpg,{i % 5}")
    (folder / "train" / "train_label").write_text("\n".join(rows), encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NSML_CACHE_FOLDER", str(tmp_path / "caches"))
    monkeypatch.delenv("NSML_WORKERS", raising=False)


def train(dataset, checkpoints, *options, epochs=2):
    fields = [word for item in (*TINY, f"epochs={epochs}") for word in ("--set", item)]
    arguments = ["--recipe", "smoke", *fields, "--data", str(dataset)]
    return main.main([*arguments, "--checkpoints", checkpoints, *options])


def weights(checkpoint):
    return load_file(Path(checkpoint) / "network.safetensors")


def same(one, other):
    ours, others = weights(one), weights(other)
    return all(torch.equal(ours[name], others[name]) for name in ours)


def recipe(checkpoint):
    document = json.loads(Path(checkpoint, "checkpoint.json").read_text(encoding="utf-8"))
    return document["recipe"]


def index_of(tmp_path):
    (index,) = (tmp_path / "caches").rglob("index")
    return index


def test_a_cold_and_a_warm_cache_give_the_same_weights(dataset, tmp_path, capsys):
    assert train(dataset, "cold") == 0
    assert "Picture cache: JPEG of quality 90" in capsys.readouterr().out
    written = index_of(tmp_path).read_bytes()
    assert train(dataset, "warm") == 0
    assert " 0 of them there already" not in capsys.readouterr().out
    assert index_of(tmp_path).read_bytes() == written
    assert same("cold/last", "warm/last")
    assert train(dataset, "off", "--cache", "off") == 0
    assert not same("cold/last", "off/last")


def test_a_checkpoint_says_which_pixels_it_goes_on_with(dataset, tmp_path, capsys):
    assert train(dataset, "whole", "--cache", "raw") == 0
    assert recipe("whole/last")["cache"] == "raw"
    assert train(dataset, "auto", epochs=1) == 0
    assert recipe("auto/last")["cache"] == "off"
    capsys.readouterr()
    assert train(dataset, "whole", "--load", "whole/last", "--cache-space", "0") == 0
    told = capsys.readouterr().out
    assert "Picture cache: uncompressed" in told
    assert "ignored: cache" not in told


def test_a_cache_asked_for_by_name_that_does_not_fit_ends_the_run(dataset, capsys):
    assert train(dataset, "kept", "--cache", "raw", "--cache-space", "0.000001") == 2
    told = capsys.readouterr().err
    assert told.startswith("Error: A raw cache of 40 pictures needs about")
    assert "--cache-space GB" in told
    assert train(dataset, "kept", "--cache", "zip") == 2
    assert "give one of auto, off, jpeg, raw" in capsys.readouterr().err


def test_the_command_makes_what_a_training_reads(dataset, tmp_path, capsys):
    assert data_loader.main(["cache", str(dataset), "--workers", "2"]) == 0
    told = capsys.readouterr().out
    assert "40 pictures, about" in told
    assert "40 of 40 pictures\nDone" in told
    written = index_of(tmp_path).read_bytes()
    assert train(dataset, "kept") == 0
    assert index_of(tmp_path).read_bytes() == written


def test_the_command_explains_what_it_cannot_do(dataset, capsys):
    assert data_loader.main(["cache", str(dataset), "--cache-space", "0"]) == 2
    assert "It may take up 0.0 MB" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        data_loader.main(["cache", str(dataset), "--cache-space", "lots"])
    assert "invalid gigabytes value: 'lots'" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.usefixtures("loopback")
def test_ranks_share_one_cache(dataset, tmp_path, monkeypatch, root):
    monkeypatch.setenv("PYTHONPATH", f"{root / 'nsml_shim' / 'site'}:{root}")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("NSML_WORKERS", "2")
    assert train(dataset, "kept", "--cache", "auto") == 0
    assert len(Store(index_of(tmp_path).parent)) > 30


@pytest.mark.gpu
def test_on_a_gpu_raw_copies_give_the_same_weights_cold_warm_and_cramped(
    dataset, capsys, monkeypatch
):
    assert train(dataset, "cold", "--cache", "raw") == 0
    assert "40 pictures now lie on the device" in capsys.readouterr().out
    assert train(dataset, "warm", "--cache", "raw") == 0
    assert "40 pictures now lie on the device" in capsys.readouterr().out
    monkeypatch.setattr(copies, "_room", lambda _device: 0)
    assert train(dataset, "cramped", "--cache", "raw") == 0
    assert "sent to the device batch by batch" in capsys.readouterr().out
    assert same("cold/last", "warm/last")
    assert same("cold/last", "cramped/last")


@pytest.mark.gpu
def test_a_training_whose_files_the_gpu_decodes(dataset, capsys):
    assert train(dataset, "decoded", "--cache", "off", "--decoder", "gpu") == 0
    assert "decoded by the GPU (nvJPEG)" in capsys.readouterr().out
    assert recipe("decoded/last")["decoder"] == "gpu"
