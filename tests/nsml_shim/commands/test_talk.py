"""Words with a living session: exec, sh, gpustat, the service of infer, resume."""

import json
import time

import pytest

SERVICE = """
import argparse, os, nsml
parser = argparse.ArgumentParser()
parser.add_argument("--mode", default="train")
parser.add_argument("--pause", type=int, default=0)
parser.add_argument("--iteration", default="0")
args = parser.parse_args()
box = {}

def save(path): open(os.path.join(path, "model"), "w").write("7")
def load(path): box["weight"] = int(open(os.path.join(path, "model")).read())
def infer(data, **kwargs): return [box["weight"], len(data)]

nsml.bind(save=save, load=load, infer=infer)
if args.pause:
    nsml.paused(scope=locals())
if args.mode == "train":
    nsml.save("best")
print("mode", args.mode, box)
"""


@pytest.fixture
def saved(nsml, guest):
    (guest / "main.py").write_text(SERVICE)
    (guest / "other.py").write_text(SERVICE.replace('print("mode"', 'print("other mode"'))
    nsml("run", "-g", "0")
    nsml("logs", "-f", "team/None/1")
    return "team/None/1"


def test_a_service_keeps_the_checkpoint_loaded_and_answers(nsml, saved):
    assert nsml("infer", saved, "best").stdout == "Session team/None/2 is started\n"
    answer = nsml("exec", "team/None/2", "nsml.infer(input='base64,aGVsbG8=')")
    assert answer.stdout.startswith("[7, ")
    row = json.loads(nsml("ps", "-j").stdout)[0]
    assert (row["type"], row["checkpoint"], row["parent"]) == ("infer", "best", saved)
    assert "--mode infer --pause 1" in nsml("ps").stdout
    nsml("exec", "team/None/2", "done()")
    nsml("logs", "-f", "team/None/2")
    nsml("rm", "-f", "team/None/2")


def test_a_service_may_use_another_script_of_the_same_code(nsml, saved):
    refused = nsml("infer", "-e", "gone.py", saved, "best", code=1).stderr
    assert "has no entry script 'gone.py'" in refused
    assert "has no entry script" in nsml("infer", "-e", "../x.py", saved, "best", code=1).stderr
    nsml("infer", "-e", "other.py", saved, "best")
    assert json.loads(nsml("ps", "-j").stdout)[0]["entry"] == "other.py"
    nsml("stop", "team/None/2")


def test_code_is_evaluated_in_the_published_scope(nsml, guest):
    (guest / "main.py").write_text(
        "import nsml, time\nsecret = 41\nnsml.report(step=1, scope=globals())\ntime.sleep(60)\n"
    )
    nsml("run", "-g", "0")
    assert nsml("exec", "team/None/1", "secret", "+", "1").stdout == "42\n"
    assert nsml("exec", "team/None/1", "print('hi')").stdout == "hi\n"
    wrong = nsml("exec", "team/None/1", "1 / 0", code=1)
    assert "ZeroDivisionError" in wrong.stderr
    assert "nsml_shim" not in wrong.stderr
    nsml("stop", "team/None/1")
    assert "it has ended: stopped by team" in nsml("exec", "team/None/1", "1", code=1).stderr


def test_a_shell_sees_what_the_session_sees(nsml, guest, toy):
    (guest / "main.py").write_text("open('made', 'w').write('by the session')")
    nsml("dataset", "push", "toy", str(toy))
    nsml("run", "-d", "toy", "-g", "0")
    nsml("logs", "-f", "team/toy/1")
    assert nsml("sh", "team/toy/1", "cat", "made").stdout == "by the session"
    seen = nsml("sh", "team/toy/1", 'python -c "import nsml; print(nsml.SESSION_NAME)"; ls "$NSML_DATASET_PATH"').stdout  # fmt: skip
    assert seen.split() == ["team/toy/1", "data_loader.py", "train"]
    nsml("sh", "team/toy/1", "exit 7", code=7)
    assert nsml("sh", "team/toy/1", "ls", "--help").stdout.startswith("Usage: ls")


def test_gpustat_measures_a_running_session(nsml, guest):
    (guest / "main.py").write_text("x = bytearray(2**26)\nwhile True: pass")
    nsml("run")
    deadline = time.monotonic() + 20
    while "Running" not in nsml("ps").stdout:
        assert time.monotonic() < deadline
    lines = nsml("gpustat", "team/None/1", CUDA_VISIBLE_DEVICES="").stdout.splitlines()
    assert lines[0].split("  ")[0] == "Device"
    assert lines[2].startswith("cpu0")
    assert " 0 %" not in lines[2]
    nsml("stop", "team/None/1")
    assert "it is not running: stopped by team" in nsml("gpustat", "team/None/1", code=1).stderr


def test_the_driver_is_asked_for_the_sessions_own_gpus():
    from nsml_shim.commands.gpustat import gpu_use

    answer = (
        "0, GPU-aaa, NVIDIA H200, 97, 1024, 143771\n1, GPU-bbb, NVIDIA H200, 3, 5, 143771\n"
        "2, GPU-ccc, NVIDIA H200, [N/A], [N/A], 143771\n"
    )
    (second,) = gpu_use(answer, ["1"])
    assert (second.device, second.utilization, second.memory_used) == ("1", "3", 5 << 20)
    (third, part) = gpu_use(answer, ["GPU-ccc", "MIG-1"])
    assert (third.utilization, third.memory_used) == ("[N/A]", 0)
    assert (part.device, part.name) == ("MIG-1", "MIG instance")


def test_resume_goes_on_from_the_newest_checkpoint_of_an_ended_session(nsml, saved):
    nsml("resume", "-v", saved)
    assert "{'weight': 7}" in nsml("logs", "-f", "team/None/2").stdout
    row = json.loads(nsml("ps", "-a", "-j").stdout)[0]
    assert (row["type"], row["description"]) == ("normal/fork", f"resume of {saved}")


def test_a_running_session_is_not_resumed(nsml, guest):
    (guest / "main.py").write_text("import time; time.sleep(60)")
    nsml("run", "-g", "0")
    assert "`nsml fork` copies a running session" in nsml("resume", "team/None/1", code=1).stderr
    nsml("rm", "-f", "team/None/1")


def test_nothing_of_a_submission_is_reached(nsml, toy):
    nsml("dataset", "push", "toy", str(toy))
    nsml("run", "-d", "toy")
    nsml("logs", "-f", "team/toy/1")
    nsml("submit", "-v", "-b", "10", "team/toy/1", "best")
    for words in (
        ["exec", "team/toy/2", "1"],
        ["sh", "team/toy/2", "ls"],
        ["pull", "team/toy/2", "."],
        ["download", "team/toy/2", "."],
        ["plot", "team/toy/2"],
        ["gpustat", "team/toy/2"],
        ["resume", "team/toy/2"],
        ["infer", "team/toy/2", "best"],
        ["model", "rm", "team/toy/2", "*"],
    ):
        assert "Only nsml rm is valid for submit sessions" in nsml(*words, code=1).stderr
    assert "--mode test --pause 1" in nsml("ps", "-a").stdout
    assert nsml("command", "team/toy/2").stdout == "nsml submit team/toy/1 best\n"


def test_a_submission_may_use_another_script_of_the_same_code(nsml, toy, guest):
    code = (guest / "main.py").read_text()
    (guest / "other.py").write_text(code.replace('[model["answer"]', '["0"'))
    nsml("dataset", "push", "toy", str(toy))
    nsml("run", "-d", "toy")
    nsml("logs", "-f", "team/toy/1")
    assert "Score: 0.25" in nsml("submit", "-e", "other.py", "team/toy/1", "best").stdout
