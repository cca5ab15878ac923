from nsml_shim.protocol import SUBMIT

PREPARE = """
import os
def prepare(output_path, size):
    print('computed', size, output_path)
    open(output_path[0], 'w').write(f'table of {size}')
    os.makedirs(output_path[1]); open(output_path[1] + '/a', 'w').write('a')
def bring(size=4):
    nsml.cache(prepare, size=size, output_path=['made/table', 'folder'])
    print(open('made/table').read(), os.listdir('folder'))
bring()
"""


def test_a_function_computes_once_for_all_sessions_of_an_owner_on_a_dataset(store):
    assert store.run(PREPARE).stdout == ("computed 4 ['made/table', 'folder']\ntable of 4 ['a']\n")
    again = store.run(PREPARE, name="team/toy/2")
    assert again.stdout == "table of 4 ['a']\n"
    assert "prepare comes from team/toy/1" in again.stderr
    assert "computed" in store.run(PREPARE, name="team/other/1").stdout
    assert "computed" in store.run(PREPARE, name="rival/toy/1").stdout


def test_the_name_of_the_function_is_the_key(store):
    store.run(PREPARE)
    renamed = PREPARE.replace("prepare", "prepare_again")
    assert "computed" in store.run(renamed, name="team/toy/2").stdout
    assert "computed" not in store.run(PREPARE.replace("bring()", "bring(size=9)")).stdout


def test_a_submission_reads_and_keeps_nothing(store):
    first = store.run(PREPARE, name="team/toy/2", **store.instruct(SUBMIT))
    assert "computed" in first.stdout
    assert "a submission leaves nothing behind" in first.stderr
    assert not (store.root / "team" / ".cache").exists()
    store.run(PREPARE)
    later = store.run(PREPARE, name="team/toy/3", **store.instruct(SUBMIT))
    assert later.stdout == "table of 4 ['a']\n"


def test_sessions_that_ask_at_once_wait_for_the_first(store):
    code = (
        "import time\n"
        "def slow(output_path):\n"
        "    print('computing', flush=True); time.sleep(0.7)\n"
        "    open(output_path[0], 'w').write('x')\n"
        "nsml.cache(slow)\nprint(open('processed').read())"
    )
    with store.start(code) as first:
        assert first.stdout.readline() == "computing\n"
        second = store.run(code, name="team/toy/2")
    assert second.stdout == "x\n"
    assert "another process is busy with slow; waiting" in second.stderr


def test_a_function_that_fails_keeps_nothing(store):
    code = "def broken(output_path): 1 / 0\nnsml.cache(broken)"
    assert "ZeroDivisionError" in store.run(code, ok=False).stderr
    code = "def broken(output_path): pass\nnsml.cache(broken)"
    assert "broken wrote nothing to processed" in store.run(code).stderr
    caches = store.root / "team" / ".cache" / "toy"
    assert [path.name for path in caches.iterdir()] == ["broken.lock"]


def test_what_a_guest_changes_afterwards_does_not_reach_the_store(store):
    store.run(PREPARE + "open('made/table', 'w').write('spoilt')")
    assert store.run(PREPARE, name="team/toy/2").stdout == "table of 4 ['a']\n"


def test_other_outputs_than_those_kept_are_computed_again(store):
    code = "def f(output_path):\n    for p in output_path: open(p, 'w').write('x')\n"
    store.run(code + "nsml.cache(f)")
    done = store.run(code + "nsml.cache(f, output_path=['a', 'b'])", name="team/toy/2")
    assert "kept with 1 outputs, but 2 are wanted" in done.stderr
    assert (store.folder("team/toy/2").work / "b").exists()


def test_a_cache_without_a_function_says_what_it_needs(store):
    assert "nsml.cache(preprocess, ...)" in store.run("nsml.cache()", ok=False).stderr
