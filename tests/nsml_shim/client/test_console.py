import time

import pytest

from nsml_shim.channel import ask
from nsml_shim.errors import ShimError
from nsml_shim.protocol import SUBMIT

TRAINING = """
import time
factor = 3
class Net: rate = 0.5
def main():
    net, state = Net(), {"rate": 1.0}
    nsml.report(step=1, loss=1.0, scope=locals())
    print("started", flush=True)
    while state["rate"] > 0:
        time.sleep(0.05)
    print("stopped")
main()
"""


@pytest.fixture
def training(store):
    with store.start(TRAINING) as process:
        assert process.stdout.readline() == "started\n"
        yield process


def test_a_training_answers_while_it_works(store, training):
    folder = store.folder()
    assert ask(folder, "net.rate * factor", timeout=20) == ("", "1.5", "")
    assert ask(folder, "print('hello'); state", timeout=20) == ("hello\n", "{'rate': 1.0}", "")
    assert ask(folder, "twice = [net.rate for _ in range(2)]", timeout=20) == ("", "", "")
    assert ask(folder, "twice", timeout=20).result == "[0.5, 0.5]"
    assert ask(folder, "nsml.SESSION_NAME", timeout=20).result == "'team/toy/1'"
    assert "Nothing is paused" in ask(folder, "done()", timeout=20).output
    ask(folder, "state['rate'] = 0", timeout=20)
    assert training.communicate(timeout=20)[0] == "stopped\n"
    assert list(folder.exec.iterdir()) == []


@pytest.mark.parametrize(
    ("code", "last_line"),
    [
        ("missing", "NameError: name 'missing' is not defined"),
        ("1 +", "SyntaxError: invalid syntax"),
        ("def f():\n  return 1 / 0\nf()", "ZeroDivisionError: division by zero"),
        ("exit(3)", "SystemExit: 3"),
    ],
)
def test_a_mistake_is_told_and_the_training_lives(store, training, code: str, last_line: str):
    error = ask(store.folder(), code, timeout=20).error
    assert error.splitlines()[-1] == last_line
    assert "console.py" not in error
    assert training.poll() is None


def test_a_training_that_ends_waits_for_nobody(store):
    started = time.monotonic()
    store.run("nsml.report(step=1, scope={'a': 1})")
    assert time.monotonic() - started < 5


def test_what_other_threads_print_goes_to_the_log(store):
    code = (
        "import threading, time\n"
        "def chat():\n"
        "    while True:\n        print('chat', flush=True); time.sleep(0.01)\n"
        "threading.Thread(target=chat, daemon=True).start()\n"
        "nsml.paused(scope={})"
    )
    with store.start(code):
        answer = ask(store.folder(), "import time; time.sleep(0.2); print('mine')", timeout=20)
    assert answer.output == "mine\n"


def test_nobody_answers_within_the_time_is_said_with_the_reason(store):
    with pytest.raises(ShimError, match="not published a scope"):
        ask(store.folder(), "1", timeout=0.1)
    store.folder().exec.mkdir()
    with pytest.raises(ShimError, match=r"did not answer within 0\.1 seconds: it is busy"):
        ask(store.folder(), "1", timeout=0.1)
    assert list(store.folder().exec.iterdir()) == []
    store.folder().exit.touch()
    with pytest.raises(ShimError, match="has ended"):
        ask(store.folder(), "1", timeout=5)


def test_a_submission_answers_nobody(store):
    code = "nsml.report(step=1, a=1, scope=locals())\nimport threading\nprint(threading.active_count())"
    assert store.run(code, **store.instruct(SUBMIT)).stdout == "1\n"
    assert not store.folder().exec.exists()


def test_a_scope_that_is_no_dict_is_told_once(store):
    done = store.run("for _ in range(2): nsml.report(step=1, scope=len)")
    assert done.stderr.count("pass locals()") == 1
