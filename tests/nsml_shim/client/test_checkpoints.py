import signal

import pytest

from nsml_shim.protocol import FORK, SUBMIT


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("nsml.save('best')", "best"),
        ("nsml.save(0)", "0"),
        ("nsml.save(checkpoint=7)", "7"),
        ("nsml.save(iteration='old')", "old"),
        ("nsml.save('fold/3 ü%.json')", "fold/3 ü%.json"),
        ("nsml.save(0.5)", "0.5"),
        ("nsml.save('..')", ".."),
    ],
)
def test_any_key_names_a_checkpoint(store, saver, call: str, name: str):
    store.run(saver("weights") + call)
    assert store.files(name) == {"model.txt": "weights"}
    assert store.folder().checkpoint_names() == [name]


def test_a_save_without_a_key_is_named_by_the_time(store, saver):
    store.run(saver("weights") + "nsml.save()")
    (name,) = store.folder().checkpoint_names()
    assert name.replace("_", "").isdecimal()


def test_the_same_key_overwrites_and_the_old_files_are_gone(store, saver):
    store.run(saver("old") + "nsml.save('best')\nTEXT = 'new'\nnsml.save('best')")
    assert store.files("best") == {"model.txt": "new"}
    kept = [p for p in store.folder().checkpoints.iterdir() if p.is_dir()]
    assert len(kept) == 1


def test_an_error_inside_save_keeps_the_checkpoint_before(store, saver):
    code = saver("old") + (
        "nsml.save('best')\n"
        "def broken(path):\n"
        "    open(os.path.join(path, 'half'), 'w').write('x')\n"
        "    raise RuntimeError('disk on fire')\n"
        "nsml.save('best', save_fn=broken)\n"
    )
    assert "disk on fire" in store.run(code, ok=False).stderr
    assert store.files("best") == {"model.txt": "old"}
    assert not list(store.folder().checkpoints.glob(".draft-*"))


def test_a_kill_in_the_middle_of_save_keeps_the_checkpoint_before(store, saver):
    code = saver("old") + (
        "nsml.save('best')\n"
        "import signal\n"
        "def killed(path):\n"
        "    open(os.path.join(path, 'half'), 'w').write('x')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "nsml.save('best', save_fn=killed)\n"
    )
    assert store.run(code, ok=False).returncode == -signal.SIGKILL
    assert store.files("best") == {"model.txt": "old"}
    assert store.folder().checkpoint_names() == ["best"]


def test_exit_right_after_save_loses_nothing(store, saver):
    store.run(saver("weights") + "nsml.save('saved')\nos._exit(0)")
    assert store.files("saved") == {"model.txt": "weights"}


def test_a_function_that_writes_to_the_path_itself_gets_a_file(store):
    code = (
        "def save(path):\n    open(path, 'w').write('weights')\n"
        "def load(path):\n    print('loaded', open(path).read())\n"
        "nsml.bind(save, load)\nnsml.save(3)\nnsml.load(3)\n"
    )
    assert "loaded weights" in store.run(code).stdout
    assert store.files("3") == {"": "weights"}


def test_a_function_may_make_the_folder_again(store):
    code = (
        "import os\n"
        "def save(path, *args):\n"
        "    os.makedirs(path, exist_ok=True)\n"
        "    open(os.path.join(path, 'a'), 'w').write('1')\n"
        "nsml.bind(save=save)\nnsml.save('best')\n"
    )
    store.run(code)
    assert store.files("best") == {"a": "1"}


def test_an_empty_save_is_kept_with_a_warning(store):
    done = store.run("nsml.bind(save=lambda path: None)\nnsml.save('nothing')")
    assert "NSML Warning) The folder you are trying to save is empty." in done.stderr
    assert store.files("nothing") == {}


def test_a_model_over_the_limit_is_not_stored_and_the_script_goes_on(store, saver):
    code = saver("x" * 100) + "nsml.save('big')\nprint('went on')"
    done = store.run(code, NSML_MODEL_LIMIT="50")
    assert "NSML Warning) Cannot upload models over 50.0" in done.stderr
    assert "went on" in done.stdout
    assert store.folder().checkpoint_names() == []


def test_saving_without_a_function_says_what_to_bind(store):
    done = store.run("nsml.save('best')", ok=False)
    assert "Call nsml.bind(save=...) first" in done.stderr


def test_only_rank_zero_saves(store, saver):
    store.run(saver("weights") + "nsml.save('best')", NSML_RANK="1")
    assert store.folder().checkpoint_names() == []


def test_load_restores_by_key_whatever_its_type(store, saver):
    store.run(saver("weights") + "nsml.save(5)")
    for call in ("nsml.load('5')", "nsml.load(5)", "nsml.load(checkpoint=5, session='team/toy/1')"):
        assert "loaded weights" in store.run(saver("") + call).stdout


def test_load_without_a_key_takes_the_newest(store, saver):
    store.run(saver("first") + "nsml.save('z')\nTEXT = 'second'\nnsml.save('a')")
    assert "loaded second" in store.run(saver("") + "nsml.load()").stdout


def test_load_reads_another_session(store, saver):
    store.run(saver("weights") + "nsml.save('best')", name="team/other-data/4")
    code = saver("") + "nsml.load(session='team/other-data/4', checkpoint='best')"
    assert "loaded weights" in store.run(code).stdout


def test_a_missing_checkpoint_is_the_documented_key_error(store, saver):
    done = store.run(saver("") + "nsml.load('best', session='team/toy/9')", ok=False)
    assert "KeyError: 'No model: team/toy/9/nsml_model/best,'" in done.stderr


def test_load_fn_is_used_instead_of_the_bound_function(store, saver):
    code = saver("weights") + (
        "nsml.save('best')\nnsml.load('best', load_fn=lambda path: print(os.listdir(path)))"
    )
    assert "['model.txt']" in store.run(code).stdout


def test_a_submission_changes_no_checkpoint(store, saver):
    store.run(saver("old") + "nsml.save('best')")
    code = saver("new") + "nsml.save('best')\nnsml.save('more')"
    done = store.run(code, name="team/toy/2", **store.instruct(SUBMIT))
    assert "left out" in done.stderr
    assert store.files("best") == {"model.txt": "old"}
    assert store.folder("team/toy/2").checkpoint_names() == []


def test_a_submission_reads_its_source_under_its_own_name(store, saver):
    store.run(saver("weights") + "nsml.save('best')")
    code = saver("") + "nsml.load('best', session=nsml.SESSION_NAME)"
    assert "loaded weights" in store.run(code, name="team/toy/2", **store.instruct(SUBMIT)).stdout


def test_the_record_holds_the_last_report_and_the_time_since_the_save_before(store, saver):
    code = saver("w") + (
        "import time\n"
        "nsml.report(epoch=1, train__loss=0.5, step=1)\nnsml.save('a')\n"
        "time.sleep(0.05)\nnsml.save('b')\n"
    )
    store.run(code)
    a, b = (store.folder().checkpoint(name) for name in "ab")
    assert a.summary == {"epoch": 1, "train/loss": 0.5, "step": 1}
    assert a.size == 1
    assert b.elapsed == pytest.approx(b.saved_at - a.saved_at)


def test_a_fork_may_save_before_it_is_told_what_to_load(store, saver):
    store.run(saver("old") + "nsml.save('best')")
    code = saver("fresh") + "nsml.save('start')\nnsml.paused()\nprint('goes on')"
    done = store.run(code, name="team/toy/2", **store.instruct(FORK))
    assert "loaded old" in done.stdout
    assert "goes on" in done.stdout
    assert store.files("start", "team/toy/2") == {"model.txt": "fresh"}


def test_a_folder_is_stored_without_anything_bound(store):
    code = (
        "import os\nos.makedirs('out/deep'); open('out/deep/a', 'w').write('1')\n"
        "nsml.save_folder('models', 'out')\n"
        "nsml.load('models', load_fn=lambda path: print(os.listdir(path + '/deep')))\n"
        "open('one', 'w').write('2'); nsml.save_folder('single', 'one')\n"
    )
    assert store.run(code).stdout == "['a']\n"
    assert store.files("models") == {"a": "1"}
    assert store.files("single") == {"one": "2"}
    assert "there is no such folder" in store.run("nsml.save_folder('m', 'x')", ok=False).stderr


def test_threads_may_save_under_one_name_at_once(store, saver):
    code = saver("weights") + (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(4) as pool: list(pool.map(nsml.save, ['best'] * 20 + list('abcd')))"
    )
    store.run(code)
    assert sorted(store.folder().checkpoint_names()) == ["a", "b", "best", "c", "d"]
    kept = [path for path in store.folder().checkpoints.iterdir() if path.is_dir()]
    assert len(kept) == 5


def test_the_last_save_may_come_from_an_exit_handler(store, saver):
    store.run(saver("weights") + "import atexit; atexit.register(nsml.save, 'last'); exit()")
    assert store.files("last") == {"model.txt": "weights"}


def test_a_stop_in_the_middle_of_save_leaves_nothing_behind(store, saver):
    code = saver("old") + (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        "nsml.save('best')\n"
        "def slow(path):\n"
        "    open(os.path.join(path, 'half'), 'w').write('x'); print('saving'); time.sleep(30)\n"
        "nsml.save('best', save_fn=slow)\n"
    )
    with store.start(code) as process:
        assert process.stdout.readline() == "saving\n"
        process.terminate()
        assert process.wait(timeout=20) == 0
    assert store.files("best") == {"model.txt": "old"}
    assert len([path for path in store.folder().checkpoints.iterdir() if path.is_dir()]) == 1


def test_a_disk_that_fills_up_while_publishing_keeps_the_checkpoint_before(store, saver):
    code = saver("old") + (
        "nsml.save('best')\n"
        "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "def save(path):\n"
        "    open(os.path.join(path, 'model.txt'), 'w').write('new')\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (20, resource.RLIM_INFINITY))\n"
        "nsml.save('best', save_fn=save)"
    )
    assert "File too large" in store.run(code, ok=False).stderr
    assert store.files("best") == {"model.txt": "old"}
    left = {path.name for path in store.folder().checkpoints.iterdir()}
    assert left == {"best.json", store.folder().checkpoint("best").folder}


def test_all_is_on_disk_before_the_index_names_it(store, saver):
    watch = (
        "done, fsync, replace = [], os.fsync, os.replace\n"
        "def seen(descriptor):\n"
        "    fsync(descriptor)\n"
        "    done.append(os.path.basename(os.readlink(f'/proc/self/fd/{descriptor}')))\n"
        "def renamed(old, new):\n"
        "    replace(old, new)\n"
        "    done.append('renamed')\n"
        "os.fsync, os.replace = seen, renamed\n"
        "nsml.save('best')\n"
        "os.fsync, os.replace = fsync, replace\n"
        "print('SEEN', *done)\n"
    )
    told = store.run(saver("weights") + watch).stdout
    (line,) = [line for line in told.splitlines() if line.startswith("SEEN")]
    steps = line.split()[1:]
    first = steps.index("renamed")
    draft = sorted("draft" if name[0] == "." else name for name in steps[:first])
    assert draft == ["draft", "model", "model.txt"]
    after, index, *rest = steps[first + 1 :]
    assert (after, index[:7], rest) == ("checkpoints", ".draft-", ["renamed", "checkpoints"])
