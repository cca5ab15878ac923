import pytest

SIGNATURES = ["path", "path, *args", "path, **kwargs", "path, *args, **kwargs", "dir_name, *a, **k"]


@pytest.mark.parametrize("signature", SIGNATURES)
def test_save_and_load_get_one_positional_argument_whatever_they_declare(store, signature: str):
    code = (
        "import os\n"
        f"def save({signature}):\n"
        f"    open(os.path.join({signature.split(',')[0]}, 'm'), 'w').write('x')\n"
        f"def load({signature}):\n    print('loaded', locals().get('args') or locals().get('a'))\n"
        "nsml.bind(save=save, load=load)\nnsml.save('best')\nnsml.load('best')\n"
    )
    done = store.run(code)
    assert "loaded ()" in done.stdout or "loaded None" in done.stdout


def test_further_keywords_of_bind_go_to_those_who_declare_them(store):
    code = (
        "import os\n"
        "def save(path, real):\n    open(os.path.join(path, 'm'), 'w').write(str(real))\n"
        "def load(path, **kwargs):\n    print('got', kwargs)\n"
        "nsml.bind(save=save, load=load, real=True, use_nsml_legacy=False)\n"
        "nsml.save('best')\nnsml.load('best')\n"
    )
    assert "got {'real': True}" in store.run(code).stdout
    assert store.files("best") == {"m": "True"}


def test_binding_one_role_again_keeps_the_others(store, saver):
    code = saver("weights") + (
        "nsml.save('best')\n"
        "nsml.bind(load=lambda path: print('second loader'))\nnsml.load('best')\nnsml.save('more')"
    )
    assert "second loader" in store.run(code).stdout
    assert store.files("more") == {"model.txt": "weights"}


def test_positional_binding_in_the_order_of_2017(store):
    code = (
        "nsml.bind(lambda p: None, lambda p: None, lambda x: x * 2, print, print)\n"
        "print('twice', nsml.infer(21))"
    )
    assert "twice 42" in store.run(code).stdout


def test_inferring_without_a_function_says_what_to_bind(store):
    done = store.run("nsml.infer([1])", ok=False)
    assert "nsml.bind(infer=...)" in done.stderr
