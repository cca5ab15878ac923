import math

import pytest


def test_a_report_is_one_point_with_slashes_for_double_underscores(store):
    store.run("nsml.report(summary=True, step=3, train__loss=0.5, epoch=1, scope=locals())")
    (point,) = store.points()
    assert point["summary"] is True
    assert point["values"] == {"train/loss": 0.5, "epoch": 1, "step": 3}


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
    assert (point["values"], point["summary"]) == (values, summary)


def test_numpy_and_torch_scalars_become_numbers(store):
    store.run(
        "import numpy as np, torch\n"
        "nsml.report(step=np.int64(2), a=np.float32(0.5), b=torch.tensor(3), c=np.array(1.25), d=np.bool_(True))"
    )
    assert store.points()[0]["values"] == {"a": 0.5, "b": 3, "c": 1.25, "d": True, "step": 2}


def test_infinities_are_kept(store):
    store.run("nsml.report(step=1, a=float('inf'), b=float('nan'))")
    values = store.points()[0]["values"]
    assert values["a"] == math.inf
    assert math.isnan(values["b"])


def test_a_tensor_with_several_values_is_the_documented_type_error(store):
    done = store.run("import numpy as np\nnsml.report(step=1, loss=np.ones(3))", ok=False)
    assert "TypeError: Object of type ndarray is not JSON serializable" in done.stderr
    assert "'loss'" in done.stderr


def test_only_rank_zero_reports(store):
    store.run("nsml.report(step=1, a=1)", NSML_RANK="1")
    assert not store.folder().reports.exists()
