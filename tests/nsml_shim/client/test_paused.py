import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nsml_shim.protocol import SUBMIT

FEED = """
import os
from nsml import DATASET_PATH
def feed_infer(output_file, infer_func):
    result = infer_func(os.path.join(DATASET_PATH, "test"), phase="test")
    open(output_file, "w").write(result)
"""
OLD = """
def test_data_loader(root_path):
    return ["a", "b"], root_path
"""


def events(store) -> list[str]:
    lines = store.folder("team/toy/2").events.read_text().splitlines()
    return [json.loads(line)["event"] for line in lines]


def submit(store, saver, code: str, loader: str, *, ok: bool = True) -> tuple[str, str]:
    """Save a checkpoint, then run `code` as its submission; returns output and prediction."""
    store.run(saver("weights") + "nsml.save('best')")
    (store.root / "owners_loader.py").write_text(loader)
    prediction = store.root / "prediction"
    told = store.instruct(
        SUBMIT, loader=str(store.root / "owners_loader.py"), prediction=str(prediction)
    )
    done = store.run(
        saver("") + code, name="team/toy/2", ok=ok, NSML_DATASET_PATH="/data/toy", **told
    )
    text = prediction.read_text() if prediction.exists() else ""
    return done.stdout + done.stderr, text


def test_a_submission_loads_then_feeds_infer_then_ends_inside_the_call(store, saver):
    code = (
        "nsml.bind(infer=lambda root, phase: f'{root} {phase}')\n"
        "nsml.paused(scope=locals())\nprint('never reached')"
    )
    output, prediction = submit(store, saver, code, FEED)
    assert prediction == "/data/toy/test test"
    assert "never reached" not in output
    assert output.index("Paused.") < output.index("loaded weights") < output.index("Infer test set")
    assert events(store) == ["loaded", "infer", "inferred"]


def test_an_older_loader_is_spread_and_only_the_results_are_written(store, saver):
    code = (
        "nsml.bind(infer=lambda items, root: [(0.0, f'{i} {root}') for i in items])\nnsml.paused()"
    )
    _, prediction = submit(store, saver, code, OLD)
    assert prediction == "a /data/toy\nb /data/toy\n"


def test_the_guests_own_data_loader_stays_its_own(store, saver):
    (store.root / "data_loader.py").write_text(
        "mine = True\ndef feed_infer(*_): raise SystemExit(3)"
    )
    code = (
        "import data_loader\nassert data_loader.mine\n"
        "nsml.bind(infer=lambda root, phase: 'x')\nnsml.paused()"
    )
    _, prediction = submit(store, saver, code, FEED)
    assert prediction == "x"


@pytest.mark.parametrize(
    ("code", "stage", "words"),
    [
        ("nsml.bind(load=lambda p: 1 / 0, infer=print)", "failed load", "ZeroDivisionError"),
        ("nsml.bind(infer=lambda root, phase: 1 / 0)", "failed infer", "ZeroDivisionError"),
        (
            "nsml.bind(infer=lambda root, phase: exit())",
            "failed infer",
            "called exit() during infer",
        ),
        ("nsml.bind(infer=lambda root, phase: '')", "failed infer", "output result of inference"),
        ("", "failed infer", "nsml.bind(infer=...)"),
    ],
)
def test_a_failure_names_its_stage_and_keeps_its_traceback(store, saver, code, stage, words):
    output, _ = submit(store, saver, code + "\nnsml.paused()", FEED, ok=False)
    assert events(store)[-1] == stage
    told = store.folder("team/toy/2").events.read_text()
    assert words in json.loads(told.splitlines()[-1])["text"] or words in output
    assert "Traceback" in output


def test_a_plain_pause_waits_until_it_is_released(store, saver):
    code = saver("") + "nsml.paused(scope=locals())\nprint('released')"
    script = store.root / "wait.py"
    script.write_text("import nsml\n" + code)
    from nsml_shim import protocol

    root = Path(__file__).parents[3]
    process = subprocess.Popen(
        [sys.executable, "-u", str(script)],
        stdout=subprocess.PIPE,
        text=True,
        env={
            protocol.ENV_SESSION: "team/toy/1",
            protocol.ENV_FOLDER: str(store.folder().root),
            protocol.ENV_STORE: str(store.root),
            "PYTHONPATH": f"{root}:{root}/nsml_shim/site",
        },
    )
    assert process.stdout is not None
    with process:
        assert process.stdout.readline() == "Paused.\n"
        time.sleep(0.5)
        assert process.poll() is None
        (store.folder().root / "released").touch()
        assert process.stdout.read() == "released\n"
        assert process.wait(timeout=10) == 0
