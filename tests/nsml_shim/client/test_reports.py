import math

import pytest


def test_a_report_is_one_point_with_slashes_for_double_underscores(store):
    store.run("nsml.report(summary=True, step=3, train__loss=0.5, epoch=1, scope=locals())")
    (point,) = store.points()
    assert point.summary is True
    assert point.values == {"train/loss": 0.5, "epoch": 1, "step": 3}


@pytest.mark.parametrize(
    ("call", "values", "summary"),
    [
        ("nsml.report(False, step=1, a=2)", {"a": 2, "step": 1}, False),
        ("nsml.report(True, a=2)", {"a": 2}, True),
        ("nsml.report(**{'a': 2, 'summary': True})", {"a": 2}, True),
        ("nsml.report({'t__l': 1.5, 't__l@std': 0.1, 'step': 3})", {"t/l": 1.5, "t/l@std": 0.1, "step": 3}, False),
        ("nsml.report(walltime=5, note='best so far')", {"note": "best so far"}, False),
    ],
)  # fmt: skip
def test_every_way_to_call_it_in_public_code(store, call: str, values: dict, summary: bool):
    store.run(call)
    (point,) = store.points()
    assert (point.values, point.summary) == (values, summary)


def test_numpy_and_torch_scalars_become_numbers(store):
    store.run(
        "import numpy as np, torch\n"
        "nsml.report(step=np.int64(2), a=np.float32(0.5), b=torch.tensor(3), c=np.array(1.25), d=np.bool_(True))"
    )
    assert store.points()[0].values == {"a": 0.5, "b": 3, "c": 1.25, "d": True, "step": 2}


def test_infinities_are_kept(store):
    store.run("nsml.report(step=1, a=float('inf'), b=float('nan'))")
    values = store.points()[0].values
    assert values["a"] == math.inf
    assert math.isnan(values["b"])


@pytest.mark.parametrize(
    "value", ["0.1 + 0.2", "-0.0", "5e-324", "1e22", "10**30", "-7", "True", "None", "'한글\\n\"'"]
)
def test_a_value_is_read_back_as_it_was(store, value: str):
    store.run(f"nsml.report(step=1, a={value})")
    back, given = store.points()[0].values["a"], eval(value)
    assert (type(back), repr(back)) == (type(given), repr(given))


def test_names_need_no_quoting_by_the_guest(store):
    store.run("""nsml.report({'a"b\\\\c': 1.5, '정확도': 2})""")
    assert store.points()[0].values == {'a"b\\c': 1.5, "정확도": 2}


def test_a_tensor_with_several_values_is_the_documented_type_error(store):
    done = store.run("import numpy as np\nnsml.report(step=1, loss=np.ones(3))", ok=False)
    assert "TypeError: Object of type ndarray is not JSON serializable" in done.stderr
    assert "'loss'" in done.stderr


def test_only_rank_zero_reports(store):
    store.run("nsml.report(step=1, a=1)", NSML_RANK="1")
    assert not store.folder().reports.exists()


def test_names_with_a_meaning_for_the_graphs_pass_through(store):
    values = {"a__b@std": 0.1, "a@vector:x": 1, "a@stack:y": 2}
    store.run(f"nsml.report({values!r})")
    assert store.points()[0].values == {"a/b@std": 0.1, "a@vector:x": 1, "a@stack:y": 2}


@pytest.mark.parametrize(
    "value",
    [
        *("1j", "np.longdouble(0.1)", "np.datetime64('2020-01-01T00:00:00.000000001')"),
        *("np.ones(1)", "object()", "[np.float32(1)]", "decimal.Decimal('0.1')"),
    ],
)
def test_what_does_not_convert_exactly_is_refused(store, value: str):
    code = f"import decimal, numpy as np\nnsml.report(step=1, loss={value})"
    assert (
        "is not JSON serializable: nsml.report got it for 'loss'"
        in store.run(code, ok=False).stderr
    )


def test_texts_none_and_truth_values_are_taken(store):
    store.run("nsml.report(a='b', b=None, c=True, d=[1, 'x'], scope={'x': 1})")
    assert store.points()[0].values == {"a": "b", "b": None, "c": True, "d": [1, "x"]}


def test_two_reports_of_one_step_describe_the_checkpoint_together(store, saver):
    code = saver("w") + (
        "nsml.report(step=1, old=0)\nnsml.report(step=2, train=1); nsml.report(step=2, valid=2)\n"
        "nsml.save('best')"
    )
    store.run(code)
    assert store.folder().checkpoint("best").summary == {"train": 1, "valid": 2, "step": 2}


def test_a_full_disk_is_told_once_and_the_training_goes_on(store):
    store.folder().reports.symlink_to("/dev/full")
    done = store.run("for step in range(3): nsml.report(step=step, a=1)\nprint('went on')")
    assert done.stdout == "went on\n"
    assert (
        done.stderr.count("NSML Warning) nsml.report could not record a point: No space left") == 1
    )


def test_a_line_cut_off_by_a_full_disk_does_not_spoil_the_next(store):
    code = (
        "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "import os\nfile = os.path.join(os.environ['NSML_SESSION_FOLDER'], 'reports')\n"
        "nsml.report(step=1, a=1)\n"
        "limit = os.path.getsize(file) + 60\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))\n"
        "nsml.report(step=2, a='x' * 100)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)\n"
        "nsml.report(step=3, a=3)\n"
    )
    done = store.run(code)
    assert [point.values["step"] for point in store.points()] == [1, 3]
    assert "only a part of it fitted" in done.stderr


def test_processes_that_report_side_by_side_lose_nothing(store):
    """Forked ones share the file and the layouts, started ones share the file alone."""
    code = (
        "import os, subprocess, sys\n"
        "def tell(who):\n"
        "    for step in range(200):\n"
        "        nsml.report(step=step, **{'a' if step % 2 else who: step / 2})\n"
        "nsml.report(step=-1, a=0.5)\n"
        "if len(sys.argv) > 1:\n    tell('started')\nelse:\n"
        "    started = subprocess.Popen([sys.executable, __file__, 'again'])\n"
        "    forked = os.fork()\n"
        "    tell('parent' if forked else 'forked')\n"
        "    if forked:\n        os.waitpid(forked, 0); started.wait()\n"
    )
    store.run(code)
    points = store.points()
    assert len(points) == 2 + 3 * 200
    for who in ("parent", "forked", "started"):
        told = [point.values["step"] for point in points if who in point.values]
        assert told == list(range(0, 200, 2))


def test_what_was_reported_outlives_kill_9(store):
    code = "import os, signal\nfor step in range(50): nsml.report(step=step, a=0.5)\n"
    store.run(f"{code}os.kill(os.getpid(), signal.SIGKILL)", ok=False)
    assert [point.values["step"] for point in store.points()] == list(range(50))


def test_a_report_of_numbers_costs_neither_their_text_nor_their_names(store):
    name = "a_long_name_of_a_metric"
    store.run(f"for step in range(1000): nsml.report(step=step, {name}=1 / (step + 3))")
    assert store.folder().reports.stat().st_size < 1000 * 33 + 200
