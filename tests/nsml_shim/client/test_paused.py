import json
import time

import pytest

from nsml_shim.channel import ask
from nsml_shim.protocol import INFER, SUBMIT

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


def test_an_answer_that_is_no_pair_is_explained(store, saver):
    code = "nsml.bind(infer=lambda items, root: ['ab', 'cd'])\nnsml.paused()"
    output, _ = submit(store, saver, code, OLD, ok=False)
    assert "infer returned 'ab' at position 0; this dataset expects a list of" in output


def test_a_plain_pause_waits_until_done_is_called(store):
    code = "done = 'mine'\nnsml.paused(scope=locals())\nprint('released', done)"
    with store.start(code) as process:
        assert process.stdout.readline() == "Paused.\n"
        assert ask(store.folder(), "1 + 1", timeout=20).result == "2"
        assert process.poll() is None
        assert ask(store.folder(), "done()", timeout=20) == ("", "", "")
        assert process.communicate(timeout=20)[0] == "released mine\n"
        assert process.returncode == 0


def test_the_other_ranks_wait_for_the_release_of_rank_zero(store):
    code = "nsml.paused()\nprint('released')\nnsml.paused()"
    with (
        store.start(code) as first,
        store.start(code, NSML_RANK="1") as second,
    ):
        ask(store.folder(), "done()", timeout=20)
        assert second.stdout.readline() == "released\n"
        assert first.stdout.readline() == "Paused.\n"
        time.sleep(0.6)
        assert (first.poll(), second.poll()) == (None, None)


def test_a_service_loads_then_answers_in_its_main_thread(store, saver):
    store.run(saver("weights") + "nsml.save('best')")
    code = saver("") + (
        "import threading\n"
        "def infer(data, **kwargs):\n"
        "    return data, kwargs, threading.current_thread() is threading.main_thread()\n"
        "nsml.bind(infer=infer)\n"
        "nsml.paused(scope=locals())\nprint('never reached')"
    )
    told = store.instruct(INFER)
    with store.start(code, name="team/toy/2", **told) as process:
        folder = store.folder("team/toy/2")
        picture = "nsml.infer(input='data:image/png;base64,aGVsbG8=', top=1)"
        assert ask(folder, picture, timeout=20).result == "([b'hello'], {'top': 1}, True)"
        text = "nsml.infer(input='hi', app_type='list_string')"
        assert ask(folder, text, timeout=20).result == "({'data': [['hi']]}, {}, True)"
        ask(folder, "done()", timeout=20)
        output = process.communicate(timeout=20)[0]
    assert output.startswith("Paused.\nloaded weights\nload nsml model takes")
    assert "never reached" not in output
    assert events(store) == ["loaded", "serving"]


def test_the_misspelt_pause_is_understood(store, saver):
    store.run(saver("weights") + "nsml.save('best')")
    done = store.run(
        saver("") + "nsml.pause(scope=locals())", name="team/toy/2", **store.instruct("normal/fork")
    )
    assert "loaded weights" in done.stdout
    assert "spelt nsml.paused" in done.stderr
