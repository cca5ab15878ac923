"""Objects bound without functions: each library saves its own."""

import pytest

TORCH = """
import argparse, pickle, torch
torch.set_num_threads(1); torch.manual_seed(0)
def build():
    net = torch.nn.Linear(2, 1)
    return net, torch.optim.Adam(net.parameters()), torch.ones(2), {'seen': 0}
net, optimizer, mean, counts = build()
net(torch.ones(1, 2)).sum().backward(); optimizer.step(); counts['seen'] = 7; mean[0] = 5
nsml.bind(model=net, optimizer=optimizer, mean=mean, counts=counts, real=True, infer=print)
nsml.save('best')
saved = net.weight.clone()
net, optimizer, mean, counts = build()
nsml.bind(model=net, optimizer=optimizer, mean=mean, counts=counts)
nsml.load('best')
print(torch.equal(net.weight, saved), len(optimizer.state), mean.tolist(), counts)
# Checkpoints of old code hold whatever pickle takes.
nsml.bind(
    save=lambda path: torch.save({'args': argparse.Namespace(lr=1), 'net': net}, path + '/all'),
    load=lambda path: print(torch.load(path + '/all')['args'].lr),
)
nsml.save('old'); nsml.load('old')
"""


def test_torch_objects_are_restored_in_place(store):
    done = store.run(TORCH, TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD="1")
    assert done.stdout == "True 2 [5.0, 1.0] {'seen': 7}\n1\n"
    record = store.folder().checkpoint("best")
    names = {path.name for path in (store.folder().checkpoints / record.folder / "model").iterdir()}
    assert names == {"model.pt", "optimizer.pt", "mean.tensor.pt", "counts.pickle"}


def test_scikit_learn_and_own_objects_go_by_pickle(store):
    code = (
        "import numpy as np\nfrom sklearn.linear_model import LinearRegression\n"
        "class Handle:\n"
        "    def __init__(self, n): self.n, self.lock = n, open(__file__)\n"
        "    def __getstate__(self): return {'n': self.n}\n"
        "    def __del__(self): self.lock.close()\n"
        "    def __setstate__(self, state): self.__init__(state['n'])\n"
        "fitted, words, table = LinearRegression().fit([[1], [2]], [2, 4]), ['a'], np.ones(2)\n"
        "nsml.bind(model=fitted, handle=Handle(3), words=words, table=table)\nnsml.save('best')\n"
        "fresh, handle, words, table = LinearRegression(), Handle(0), [], np.zeros(2)\n"
        "nsml.bind(model=fresh, handle=handle, words=words, table=table)\nnsml.load('best')\n"
        "print(round(fresh.predict([[3]])[0]), handle.n, handle.lock.closed, words, table.tolist())"
    )
    assert store.run(code).stdout == "6 3 False ['a'] [1.0, 1.0]\n"


STAND_IN = """
class Graph:
    def as_default(self):
        import contextlib
        return contextlib.nullcontext()
class Session:
    graph = Graph()
    value = 'untrained'
    def run(self): pass
class Saver:
    def save(self, session, prefix): open(prefix + '.index', 'w').write(session.value)
    def restore(self, session, prefix): session.value = open(prefix + '.index').read()
class train:
    Saver = Saver
"""


@pytest.mark.parametrize("place", ["train", "compat.v1.train"])
def test_a_session_of_tensorflow_1_is_saved_by_its_saver(store, place: str):
    # TensorFlow is too large to be installed for a test; these are the calls it would get.
    package = store.root / "packages" / "tensorflow"
    package.mkdir(parents=True)
    more = (
        "" if place == "train" else "\nclass v1:\n    train = train\nclass compat:\n    v1 = v1\n"
    )
    hide = "" if place == "train" else "\ndel train\n"
    (package / "__init__.py").write_text(STAND_IN + more + hide)
    code = (
        f"import sys; sys.path.insert(0, {str(package.parent)!r})\n"
        "import tensorflow as tf\nsess = tf.Session(); sess.value = 'trained'\n"
        "nsml.bind(sess=sess)\nnsml.save('best')\n"
        "sess.value = 'lost'\nnsml.load('best')\nprint(sess.value)"
    )
    assert store.run(code).stdout == "trained\n"
    assert store.files("best") == {"sess.ckpt.index": "trained"}


def test_keras_models_save_their_weights_under_the_ending_keras_asks_for(store):
    code = (
        "class Model:\n"
        "    def save_weights(self, path):\n"
        "        assert path.endswith('.weights.h5'); open(path, 'w').write('w')\n"
        "    def load_weights(self, path): print('got', open(path).read())\n"
        "nsml.bind(model=Model())\nnsml.save('best')\nnsml.load('best')"
    )
    assert store.run(code).stdout == "got w\n"


def test_settings_alone_are_nothing_to_save(store):
    done = store.run("nsml.bind(real=True, name='x', fn=len)\nnsml.save('best')", ok=False)
    assert "Call nsml.bind(save=...) first" in done.stderr


def test_a_checkpoint_of_a_function_is_not_mistaken_for_a_default_one(store, saver):
    done = store.run(saver("w") + "nsml.save('best')")
    code = "model = {'a': 1}\nnsml.bind(model=model)\nnsml.load('best')"
    done = store.run(code, ok=False)
    assert "holds no model.pickle, so 'model' cannot be restored; it holds model.txt" in done.stderr


def test_a_bound_function_comes_before_the_default(store):
    code = (
        "def save(path, model):\n    open(path + '/m', 'w').write(model['name'])\n"
        "nsml.bind(save=save, model={'name': 'net'})\nnsml.save('best')"
    )
    store.run(code)
    assert store.files("best") == {"m": "net"}
