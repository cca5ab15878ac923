"""Traps that a count over public scripts found (docs: nsml-compatibility), one test each."""

import pytest

from nsml_shim.protocol import FORK, SUBMIT

LOADER = "def feed_infer(output_file, infer):\n    open(output_file, 'w').write(str(infer('x')))\n"


@pytest.fixture
def told(store):
    """Variables of a submission of team/toy/1, checkpoint best."""
    (store.root / "loader.py").write_text(LOADER)
    return store.instruct(
        SUBMIT, loader=str(store.root / "loader.py"), prediction=str(store.root / "prediction")
    )


def test_saving_before_paused_changes_nothing_in_a_submission(store, saver, told):
    store.run(saver("trained") + "nsml.save('best')")
    code = saver("fresh") + (
        "nsml.bind(infer=len)\nnsml.save('best'); nsml.save('start')\nnsml.paused(scope=locals())"
    )
    store.run(code, name="team/toy/2", **told)
    assert store.files("best") == {"model.txt": "trained"}
    assert store.folder().checkpoint_names() == ["best"]
    assert store.folder("team/toy/2").checkpoint_names() == []


def test_loading_another_session_before_paused_works_in_a_submission(store, saver, told):
    store.run(saver("trained") + "nsml.save('best')")
    store.run(saver("other") + "nsml.save('5')", name="team/more-data/3")
    code = saver("") + (
        "nsml.bind(infer=len)\n"
        "nsml.load(checkpoint='5', session='team/more-data/3')\nnsml.paused(scope=locals())"
    )
    done = store.run(code, name="team/toy/2", **told)
    assert done.stdout.index("loaded other") < done.stdout.index("loaded trained")


def test_code_after_paused_runs_in_a_fork_and_not_in_a_submission(store, saver, told):
    store.run(saver("trained") + "nsml.save('best')")
    code = saver("") + (
        "nsml.bind(infer=len)\n"
        "try: nsml.paused(scope=locals())\nfinally: print('after')\nTEXT = 'later'; nsml.save('more')"
    )
    assert "after" not in store.run(code, name="team/toy/2", **told).stdout
    assert "after" in store.run(code, name="team/toy/3", **store.instruct(FORK)).stdout
    assert store.files("more", "team/toy/3") == {"model.txt": "later"}


def test_an_ensemble_binds_and_loads_each_member_then_saves_all(store, saver):
    for number in (1, 2, 3):
        store.run(saver(f"net{number}") + "nsml.save('best')", name=f"team/toy/{number}")
    code = (
        "import os\nfound, names = [], []\n"
        "def bind(member):\n"
        "    def load(path): member.append(open(os.path.join(path, 'model.txt')).read())\n"
        "    nsml.bind(load=load)\n"
        "nsml.bind(lambda path: open(path + '/all', 'w').write(' '.join(sum(found, []))), infer=len)\n"
        "for number in (1, 2, 3):\n"
        "    found.append([]); bind(found[-1])\n"
        "    nsml.load(session=f'team/toy/{number}', checkpoint='best')\n"
        "nsml.save('ensemble')\nprint(nsml.infer('four'))"
    )
    assert store.run(code, name="team/toy/4").stdout == "4\n"
    assert store.files("ensemble", "team/toy/4") == {"all": "net1 net2 net3"}


def test_pickles_of_classes_of_the_entry_script_load_in_a_submission(store, told):
    code = (
        "import pickle\nclass Vocabulary:\n    words = 0\n"
        "vocabulary = Vocabulary(); vocabulary.words = 3\n"
        "def save(path): pickle.dump(vocabulary, open(path + '/v', 'wb'))\n"
        "def load(path):\n    global vocabulary\n    vocabulary = pickle.load(open(path + '/v', 'rb'))\n"
        "nsml.bind(save, load, lambda data: vocabulary.words)\n"
    )
    store.run(code + "nsml.save('best')")
    done = store.run(code + "vocabulary = None\nnsml.paused()", name="team/toy/2", **told)
    assert done.returncode == 0
    assert (store.root / "prediction").read_text() == "3"


@pytest.mark.parametrize("key", ["0", "best0.123", "epoch_03", "0_540", "uesakasumire_wa_kawaii"])
def test_keys_seen_in_public_scripts(store, saver, key: str):
    store.run(saver("old") + f"nsml.save({key!r}); TEXT = 'new'; nsml.save({key!r})")
    assert store.files(key) == {"model.txt": "new"}


def test_side_data_travels_through_the_model_store(store):
    code = (
        "nsml.save('frame', save_fn=lambda path: open(path + '/f', 'w').write('1,2'))\n"
        "kept = []\n"
        "nsml.load('frame', load_fn=lambda p: kept.append(open(p + '/f').read()), session=nsml.SESSION_NAME)\n"
        "print(kept)"
    )
    assert store.run(code).stdout == "['1,2']\n"
