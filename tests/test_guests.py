"""Submissions in the styles of 2017 to 2022 run, fork, submit and score, unmodified."""

import base64
import importlib.util
import json
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from nsml_shim.sessions.sandbox import why_unusable
from tests.guests.stage import Play, Stage, Visit

LINE = r"parser.add_argument\('--iteration', type=str, default='0'\)"
PLAYS = {
    "torch_directory": Play("lines", "29", needs=("torch",), log="last loss 0", fork="loaded"),
    "torch_file": Play("queries", "best0.5", needs=("torch",), fork="trained with lr 0.5"),
    "torch_defaults": Play("arrays", "final", needs=("torch",), fork="momentum of 1 parameters"),
    "numpy_weights": Play("loadtxt", "19", log=r"weights \[0. 0.\]", fork=r"weights \[-\d"),
    "sklearn_joblib": Play("frame", "best", log="before: False", fork="before: True"),
    "pickled_classes": Play(
        "tunes", "uesakasumire_wa_kawaii", log="한글 출력 2", fork="loaded what 민수 saved"
    ),
    "member_1": Play("numbered", guest="ensemble", args="--seed 1"),
    "member_2": Play("loadtxt", guest="ensemble", args="--seed 2"),
    "ensemble": Play(
        "numbered", "ensemble", args="--members={member_1}:{member_2}", fork="ensemble of 2"
    ),
    "cached_first": Play("samples", guest="cached", log=r"preprocessing with size \(224, 224\)"),
    "cached": Play("samples", "0_540", after=("cached_first",), log="trained on 40 samples"),
    "side_data": Play("waves", "best"),
    "fire_entry": Play(
        "ready",
        "a-1_last.h5",
        args="--experiment_name a-1",
        refusal="add a parameter iteration='0' of the function given to fire.Fire",
    ),
    "infer_phase": Play("phases", "1", fork="slope 1.0 begun from iteration 1"),
    "two_paths": Play(
        "stickers",
        "epoch_03",
        args="--train_tf '[transforms.Resize((512, 512)), transforms.ToTensor()]'",
        log=re.escape("[transforms.Resize((512, 512)), transforms.ToTensor()] from [0.0, 0.0]"),
        fork=r"from \[-\d",
    ),
    "two_datasets": Play(
        "loadtxt,lines", guest="multi_dataset", log="80 rows of 2 datasets loadtxt,lines"
    ),
    "multi_dataset": Play(
        "lines", "saved", args="--carry {two_datasets}", log="model saved!", fork="model loaded!"
    ),
    "visdom_curves": Play("lines", "9", fork="begins at bias -?0.0"),
    "service": Play("labelled", "1", log="'x': 0.0", fork="'x': -"),
    "folder_store": Play("labelled", "models", fork=r"found \[\['deep', 'readme'\]"),
    "own_library": Play("lines", "1", log="stand-in: False kept: {}", fork="kept: {'up': 1}"),
    "careless": Play("loadtxt", "best", log="training now", refusal=LINE),
    "lightgbm_trees": Play("frame", "10", needs=("lightgbm",), fork="trees before: 20"),
    "keras_weights": Play("arrays", "last", needs=("tensorflow",), fork=r"begin at 0?\.?0*[1-9]"),
}
SCORED = [name for name, play in PLAYS.items() if play.checkpoint]


def missing(name: str) -> list[str]:
    return [need for need in PLAYS[name].needs if importlib.util.find_spec(need) is None]


def wanted(items: Iterable[pytest.Item]) -> Iterator[str]:
    """Plays that the tests of this run look at; -k may have left few."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        name = callspec.params.get("guest") if callspec else None
        if name in PLAYS and not missing(name):
            yield name


@pytest.fixture(scope="module")
def stage(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Stage]:
    """All datasets are pushed, and every guest that some test of this run asks for has begun."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        stage = Stage(tmp_path_factory.mktemp("guests"), PLAYS, pool)
        for name in wanted(request.session.items):
            stage.begin(name)
        yield stage


@pytest.fixture
def visit(stage: Stage, guest: str) -> Visit:
    """What came of the visit of `guest`."""
    if missing(guest):
        pytest.skip(f"{', '.join(missing(guest))} is not installed")
    return stage.begin(guest).result()


@pytest.mark.parametrize("guest", SCORED)
def test_a_guest_runs_forks_submits_and_scores(stage: Stage, guest: str, visit: Visit):
    play = PLAYS[guest]
    if play.dataset in ("queries", "numbered") and why_unusable("bubblewrap"):
        pytest.skip("the evaluator reads a hard-coded path, which only bubblewrap can show")
    assert re.search(play.log, visit.log), visit.log
    best = r"Score: 0\.0\nDone" if play.dataset == "waves" else r"Score: 1\.0+\nDone"
    assert re.search(best, visit.submission), visit.submission
    if play.refusal:
        assert re.search(play.refusal, str(visit.fork_end["cause"])), visit.fork_log
    else:
        assert visit.fork_end["code"] == 0, visit.fork_log
        assert re.search(play.fork, visit.fork_log), visit.fork_log


def on_stage(name: str) -> pytest.MarkDecorator:
    """A test about one guest only."""
    return pytest.mark.parametrize("guest", [name])


@on_stage("cached")
def test_a_second_session_gets_what_the_first_has_cached(stage: Stage, visit: Visit):
    assert "preprocessing" not in visit.log + visit.fork_log
    first = stage.begin("cached_first").result().session
    assert f"train_data_loader comes from {first}" in visit.log


@on_stage("careless")
def test_a_careless_script_changes_nothing_by_being_submitted(stage: Stage, visit: Visit):
    before = stage.nsml("model", "ls", "-j", visit.session)
    trial = re.search(r"^Session (\S+) is", stage.nsml("submit", "-t", visit.session, "best"))
    assert trial
    log = stage.nsml("logs", trial[1])
    assert "nsml.save('best') is left out" in log
    assert "training now" not in log
    assert stage.nsml("model", "ls", "-j", visit.session) == before
    assert [model["summary"]["val_acc"] for model in json.loads(before)] == [1.0]


@on_stage("service")
def test_a_service_answers_with_what_was_trained(stage: Stage, visit: Visit):
    started = stage.nsml("infer", visit.session, "1")
    name = started.split()[1]
    try:
        text = base64.b64encode(b"0.1,0.9").decode()
        asked = f"nsml.infer(input='data:text/plain;base64,{text}')"
        assert stage.nsml("exec", name, asked) == "['1']\n"
        assert stage.nsml("exec", name, "nsml.infer([[0.9, 0.1], [0, 1]])") == "['0', '1']\n"
        assert float(stage.nsml("exec", name, "weights['y']")) > 0
    finally:
        stage.nsml("rm", "-f", name)


@on_stage("visdom_curves")
def test_what_is_drawn_through_visdom_is_kept_without_its_server(stage: Stage, visit: Visit):
    lines = (stage.folder(visit.session) / "visdom").read_text().splitlines()
    assert [json.loads(line)["call"] for line in lines] == ["line"] * 10
    assert len({json.loads(line)["kwargs"]["win"] for line in lines}) == 1


@on_stage("multi_dataset")
def test_a_session_on_two_datasets_is_not_submitted_itself(stage: Stage, visit: Visit):
    both = stage.begin("two_datasets").result().session
    assert both == "team/loadtxt,lines/1"
    assert "it needs exactly one dataset" in stage.nsml("submit", both, "both", code=1)


@on_stage("side_data")
def test_an_error_rate_stands_on_an_ascending_board(stage: Stage, visit: Visit):
    (row,) = json.loads(stage.nsml("dataset", "board", "-j", "waves"))
    assert (row["source"], row["checkpoint"], row["score"]) == (visit.session, "best", 0.0)
    models = {
        model["checkpoint"] for model in json.loads(stage.nsml("model", "ls", "-j", visit.session))
    }
    assert models == {"dataframe", "best"}
