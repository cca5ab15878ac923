"""Old spellings, each in a session of its own, with the libraries that are installed here."""

import os
import subprocess
import sys
import textwrap
import time

import pytest

from nsml_shim import protocol
from nsml_shim.sessions.shelf import shelf


@pytest.fixture
def run(tmp_path):
    """Runs a guest's script the way a session does; returns what it prints."""

    def start(program, *args, code=0, **environ):
        folder = tmp_path / "내 guest"
        folder.mkdir(exist_ok=True)
        (folder / "main.py").write_text(textwrap.dedent(program), encoding="utf-8")
        variables = {k: v for k, v in os.environ.items() if not k.startswith(("NSML", "PYTHON"))}
        variables |= {"PYTHONPATH": str(shelf(tmp_path / "home")), "PYTHONUTF8": "1", **environ}
        command = [sys.executable, "main.py", *args]
        done = subprocess.run(
            command, cwd=folder, env=variables, capture_output=True, text=True, check=False
        )
        assert (done.returncode != 0) == bool(code), done.stderr
        return done.stderr if code else done.stdout

    return start


LIGHT = """
    import time, io
    assert time.clock() > 0
    from collections import Mapping, Iterable, OrderedDict
    assert isinstance({}, Mapping)
    from fractions import gcd
    assert gcd(4, 6) == 2
    import numpy as np
    assert np.zeros(2, np.int).dtype == np.int64 and np.float is float and np.object is object
    assert np.isnan(np.NaN) and np.Inf > 0 and np.product([2, 3]) == 6 and np.float_ is np.float64
    assert np.bool in (bool, np.bool_)
    import numpy.random
    from PIL import Image
    assert Image.new("RGB", (4, 4)).resize((2, 2), Image.ANTIALIAS).size == (2, 2)
    import yaml
    assert yaml.load(io.StringIO("a: [1]")) == {"a": [1]}
    import inspect
    assert "def " in inspect.getsource(np)
    print("all there")
"""


def test_dropped_names_of_light_libraries_are_back(run):
    assert run(LIGHT) == "all there\n"


def test_the_switch_leaves_the_libraries_as_they_are(run):
    assert "AttributeError" in run(LIGHT, code=1, NSML_COMPAT="0")


def test_dropped_names_of_pandas_scipy_and_scikit_learn_are_back(run):
    program = """
        import pandas as pd
        frame = pd.DataFrame({"a": [1]})
        assert [name for name, _ in frame.iteritems()] == ["a"] and frame.as_matrix().shape == (1, 1)
        from scipy.misc import logsumexp, comb
        from sklearn.externals import joblib
        from sklearn.cross_validation import train_test_split
        joblib.dump([1], "model.joblib")
        assert joblib.load("model.joblib") == [1]
        print("all there")
    """
    assert run(program) == "all there\n"


def test_old_pytorch_code_runs(run):
    program = """
        import torch
        from torch._six import container_abcs, string_classes, inf
        assert isinstance("", string_classes) and isinstance([], container_abcs.Sequence)
        from torch.optim import SGD, lr_scheduler
        optimizer = SGD(torch.nn.Linear(1, 1).parameters(), 0.1)
        scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, "max", patience=1, verbose=True)
        lr_scheduler.StepLR(optimizer, step_size=1, verbose=False)
        scheduler.step(1.0)
        assert iter(torch.utils.data.DataLoader([1, 2], batch_size=2)).next().tolist() == [1, 2]
        from torchvision import transforms
        from torchvision.models.utils import load_state_dict_from_url
        transforms.Scale(4), transforms.RandomSizedCrop(4)
        print("all there")
    """
    assert run(program) == "all there\n"


CHECKPOINTS = """
    import argparse, os, sys, torch
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(1, 1)
    def lr(*args, **kwargs):
        try:
            return torch.load(*args, **kwargs)["args"].lr
        except Exception as error:
            return type(error).__name__
    for folder in sys.argv[1:]:
        path = os.path.join(folder, "m.pt")
        if not os.path.islink(path):
            os.makedirs(folder, exist_ok=True)
            torch.save({"net": Net(), "args": argparse.Namespace(lr=0.1)}, path)
        print(lr(path), lr(path, map_location="cpu"), lr(open(path, "rb")), lr(path, weights_only=True))
"""


def test_pickled_modules_of_the_session_s_own_checkpoints_load_and_no_others(run, tmp_path):
    store, foreign = tmp_path / "store", tmp_path / "downloads"
    (store / "link").mkdir(parents=True)
    (store / "link" / "m.pt").symlink_to(foreign / "m.pt")
    folders = [store / "team" / "1", ".", foreign, store / "link"]
    printed = run(CHECKPOINTS, *map(str, folders), **{protocol.ENV_STORE: str(store)})
    own, others = "0.1 0.1 0.1 UnpicklingError", " ".join(["UnpicklingError"] * 4)
    assert printed.splitlines() == [own, own, others, others]


def test_nothing_is_imported_before_the_guest_imports_it_and_little_time_is_lost(run):
    program = "import sys; print(*sorted({'numpy', 'torch', 'typing', 'yaml'} & set(sys.modules)))"
    assert run(program).split() in ([], ["typing"])  # an editable installation may load typing

    def seconds(switch):
        began = time.perf_counter()
        run("pass", NSML_COMPAT=switch)
        return time.perf_counter() - began

    took = {switch: min(seconds(switch) for _ in range(15)) for switch in "01"}
    assert took["1"] - took["0"] < 0.01  # 0.0013 s on an idle machine


GUEST = """
import argparse, os
import nsml, torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

parser = argparse.ArgumentParser()
parser.add_argument("--mode", default="train")
parser.add_argument("--pause", type=int, default=0)
parser.add_argument("--answer", default="1")
args = parser.parse_args()
state = {"net": Net(), "args": argparse.Namespace(answer="?")}

def save(path):
    torch.save(state, os.path.join(path, "model.pt"))

def load(path):
    state.update(torch.load(os.path.join(path, "model.pt")))

def infer(root, **kwargs):
    return [state["args"].answer for _ in open(os.path.join(root, "test_data"))]

nsml.bind(save=save, load=load, infer=infer)
if args.pause:
    nsml.paused(scope=locals())
state["args"] = args
nsml.save("best")
"""


def test_a_whole_module_saved_by_a_session_loads_in_its_submission(nsml, toy, guest):
    (guest / "main.py").write_text(GUEST)
    nsml("dataset", "push", "toy", str(toy))
    session = nsml("run", "-d", "toy", "-a", "--answer 1").stdout.split()[-5:]
    name = next(word for word in session if word.startswith("team/toy/"))
    nsml("logs", "-f", name)
    assert "Score: 0.75" in nsml("submit", name, "best").stdout
