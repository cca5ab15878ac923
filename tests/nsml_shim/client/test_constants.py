import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
NAMES = (
    "DATASET_PATH, DATASET_NAME, HAS_DATASET, IS_DATASET, GPU_NUM, IS_ON_NSML, SESSION_NAME, "
    "NSML_NFS_OUTPUT, PARALLEL_WORLD, PARALLEL_PORTS, MY_RANK"
)


def test_the_constants_of_a_session(store):
    code = f"from nsml import {NAMES}\nprint([{NAMES}][:7], MY_RANK)"
    variables = {"NSML_DATASET_PATH": "/data/toy", "NSML_DATASET_NAME": "toy", "NSML_GPU_NUM": "2"}
    done = store.run(code, **variables)
    assert done.stdout == "['/data/toy', 'toy', True, True, 2, True, 'team/toy/1'] 0\n"


def test_several_datasets_give_a_list_of_paths(store):
    done = store.run("print(nsml.DATASET_PATH)", NSML_DATASET_PATH="/data/a:/data/b")
    assert done.stdout == "['/data/a', '/data/b']\n"


def test_the_same_names_stand_in_nsml_constants(store):
    done = store.run(f"from nsml.constants import {NAMES}\nprint(IS_ON_NSML)")
    assert done.stdout == "True\n"


def test_every_import_line_of_public_scripts_works(store):
    code = (
        f"from nsml import {NAMES}, Visdom\n"
        "import nsml.encoder, nsml.decoder\n"
        "print(nsml.constants.DATASET_PATH, PARALLEL_WORLD != [], PARALLEL_PORTS, MY_RANK)"
    )
    assert store.run(code, NSML_DATASET_PATH="/data/toy").stdout == "/data/toy True [] 0\n"


def test_several_datasets_are_named_as_in_the_name_of_the_session(store):
    done = store.run("print(nsml.DATASET_NAME)", name="team/a,b/1", NSML_DATASET_NAME="a,b")
    assert done.stdout == "a,b\n"


HEAVY = {"inspect", "dataclasses", "tempfile", "shutil", "socket", "traceback", "importlib.util"}


def test_the_library_leaves_heavy_modules_to_those_who_need_them():
    code = "import sys; old = set(sys.modules); import nsml; print(*(set(sys.modules) - old))"
    env = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "nsml_shim" / "site")])}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env=env, capture_output=True, text=True
    )
    assert HEAVY & set(done.stdout.split()) == set()
    assert "nsml" in done.stdout.split()


def test_outside_a_session_everything_is_quiet(tmp_path: Path):
    code = (
        f"import nsml\nfrom nsml import {NAMES}\n"
        "nsml.bind(save=print, load=print, infer=lambda x: x + 1)\n"
        "nsml.save('best'); nsml.load('best'); nsml.report(step=1, a=2); nsml.paused(scope=locals())\n"
        "nsml.save_folder('a', '.'); nsml.cache(lambda output_path: None)\n"
        "print([DATASET_PATH, DATASET_NAME, HAS_DATASET, GPU_NUM, IS_ON_NSML], nsml.infer(1))"
    )
    env = {key: value for key, value in os.environ.items() if not key.startswith("NSML_")}
    env["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "nsml_shim" / "site")])
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("['', '', False, 0, False] 2\n", "")
    assert list(tmp_path.iterdir()) == []
