"""The two meanings of the path that save and load get, met with the libraries that guests use."""

import pytest

PAIRS = {
    "torch.save": ("torch.save({'w': 1}, path)", "torch.load(path)"),
    "numpy.save adds an ending": ("np.save(path, [1])", "np.load(path)"),
    "numpy.save, read with the ending": ("np.save(path, [1])", "np.load(path + '.npy')"),
    "numpy.savez": ("np.savez(path, w=[1])", "np.load(path)['w']"),
    "a path with an own ending": ("open(path + '.txt', 'w').write('1')", "open(path + '.txt')"),
    "joblib": ("joblib.dump([1], path)", "joblib.load(path)"),
    "pandas": ("pd.DataFrame({'w': [1]}).to_csv(path)", "pd.read_csv(path)"),
    "safetensors": ("save_file({'w': torch.ones(1)}, path)", "load_file(path)"),
    "mkdir": ("os.mkdir(path); open(path + '/a', 'w').close()", "open(path + '/a')"),
    "makedirs": ("os.makedirs(path); open(path + '/a', 'w').close()", "open(path + '/a')"),
    "copytree": ("shutil.copytree('folder', path)", "open(path + '/a')"),
    "one file inside, read as the path": ("open(path + '/a', 'w').close()", "open(path)"),
    "torch.save inside, read as the path": ("torch.save(1, path + '/a')", "torch.load(path)"),
    "safetensors inside, read as the path": (
        "save_file({'w': torch.ones(1)}, path + '/a')",
        "load_file(path)",
    ),
    "several files inside": ("[open(path + f'/{c}', 'w') for c in 'ab']", "open(path + '/b')"),
    "a message of its own": ("refuse(path); open(path, 'w').write('1')", "open(path)"),
}
HEAD = """
import os, shutil, sys, joblib, numpy as np, pandas as pd, torch
from safetensors.torch import load_file, save_file
torch.set_num_threads(1)
os.makedirs('folder', exist_ok=True); open('folder/a', 'w').close()
def refuse(path):
    if os.path.isdir(path): raise RuntimeError(f'Model file {path} is not available for writes')
"""


def test_every_kind_of_pair_saves_and_loads(store):
    code = HEAD + "".join(
        f"nsml.bind(lambda path: ({save.replace('; ', ', ')}), lambda path: {load})\n"
        f"try: nsml.save({name!r}); nsml.load({name!r}); print('done', {name!r})\n"
        f"except Exception as error: print('FAILED', {name!r}, repr(error))\n"
        for name, (save, load) in PAIRS.items()
    )
    done = store.run(code)
    assert done.stdout.splitlines() == [f"done {name}" for name in PAIRS]
    assert "empty" not in done.stderr
    kinds = {name: store.folder().checkpoint(name).single_file for name in PAIRS}
    assert {name for name, single in kinds.items() if single} == {
        *("torch.save", "joblib", "pandas", "safetensors", "a message of its own")
    }


CALLABLES = {
    "lambda": "lambda path: write(path)",
    "bound method": "Model().save",
    "callable object": "Model()",
    "partial with keyword": "functools.partial(keyed, text='p')",
    "partial with a first argument": "functools.partial(after, 'p')",
    "defaults, as Fire makes them": "fire",
    "class method": "Model.made",
}


@pytest.mark.parametrize("hook", CALLABLES.values(), ids=CALLABLES)
def test_everything_that_can_be_called_can_be_bound(store, hook: str):
    code = (
        "import functools, os\n"
        "def write(path, text='x'):\n    open(os.path.join(path, 'm'), 'w').write(text)\n"
        "def keyed(path, *, text):\n    write(path, text)\n"
        "def after(text, path):\n    write(path, text)\n"
        "def fire(dir_name, epoch=0, lr=0.1, name='x'):\n    write(dir_name)\n"
        "class Model:\n"
        "    def save(self, path, *args, **kwargs): write(path)\n"
        "    def __call__(self, path): write(path)\n"
        "    @classmethod\n    def made(cls, path): write(path)\n"
        f"nsml.bind(save={hook}, real=True)\nnsml.save('best')\n"
    )
    store.run(code)
    assert list(store.files("best")) == ["m"]


def load_error(store, load: str) -> str:
    code = (
        "import os\n"
        "nsml.bind(save=lambda path: open(os.path.join(path, 'one'), 'w').write('1'))\n"
        f"nsml.save('best')\n{load}\n"
        "nsml.load('best', load_fn=load)"
    )
    return store.run(code, ok=False).stderr


def test_the_error_of_a_wrong_guess_is_the_one_that_is_seen(store):
    error = load_error(store, "def load(path): open(os.path.join(path, 'other'))")
    assert error.splitlines()[-1].startswith("FileNotFoundError")
    assert "model/other" in error
    again = load_error(store, "def load(path): os.listdir(path); raise ValueError(f'bad {path}')")
    assert "ValueError: bad" in again.splitlines()[-1]
    assert "NotADirectoryError" not in again


def test_an_error_of_the_second_try_names_the_first_as_its_cause(store):
    error = load_error(store, "def load(path): open(path).read(); raise ValueError('too short')")
    assert error.splitlines()[-1] == "ValueError: too short"
    assert "IsADirectoryError" in error
    assert "direct cause" in error


def test_a_save_that_wrote_something_is_not_called_again(store):
    code = (
        "import os\n"
        "def save(path):\n    print('called')\n    open(path + '/a', 'w').close()\n    open(path, 'w')\n"
        "nsml.save('best', save_fn=save)"
    )
    done = store.run(code, ok=False)
    assert done.stdout == "called\n"
    assert "IsADirectoryError" in done.stderr.splitlines()[-1]


def test_an_error_that_has_nothing_to_do_with_the_path_is_not_tried_again(store):
    code = "def save(path):\n    print('called')\n    {}['key']\nnsml.save('best', save_fn=save)"
    assert store.run(code, ok=False).stdout == "called\n"


def test_loading_from_a_read_only_store_may_unpack_beside_the_archive(store):
    code = (
        "import os, tarfile\n"
        "def save(path):\n"
        "    open('a', 'w').write('inside')\n"
        "    with tarfile.open(path + '/a.tar', 'w') as tar: tar.add('a')\n"
        "def load(path):\n"
        "    if '.store-' in path: raise OSError(30, 'Read-only file system', path + '/a')  # as root no chmod can make it so\n"
        "    with tarfile.open(path + '/a.tar') as tar: tar.extractall(path)\n"
        "    print(open(path + '/a').read())\n"
        "nsml.bind(save, load)\nnsml.save('best')\nnsml.load('best')"
    )
    assert store.run(code).stdout == "inside\n"


def test_a_refusal_elsewhere_is_not_the_checkpoints_fault(store):
    code = "def load(path):\n    print('called')\n    raise PermissionError(13, 'no', '/elsewhere')"
    assert "PermissionError" in load_error(store, code).splitlines()[-1]
    assert not list(store.folder().root.glob(".draft-*"))
