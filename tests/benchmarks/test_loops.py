"""The loops that are compared do train, and what they spend is accounted for."""

from __future__ import annotations

import time

import pytest
import torch

from benchmarks.infer import eager_float32
from benchmarks.overheads import AVERAGE, METRICS, Account
from benchmarks.save import Stopwatch
from benchmarks.shapes import CLASS_NAMES, draw_shapes
from benchmarks.smoke import shapes_recipe
from benchmarks.train_bare import bare_loop
from benchmarks.train_ours import our_loop
from benchmarks.train_task import Task
from model.devices import Compute
from model.experiment import start_trainee
from model.prediction import predict


@pytest.mark.parametrize("loop", [our_loop, bare_loop])
def test_a_loop_trains_all_pictures_of_an_epoch(loop):
    seen: list[int] = []
    handle = torch.nn.modules.module.register_module_forward_hook(
        lambda module, given, _result: (
            seen.append(len(given[0])) if type(module).__name__ == "NarrowNet" else None
        )
    )
    try:
        loop(Task("narrow", count=128, batch_size=64))()
    finally:
        handle.remove()
    assert seen == [64, 64]


def test_eager_float32_is_our_prediction_in_another_layout():
    pictures = draw_shapes(20, size=64, seed=0)
    trainee = start_trainee(shapes_recipe("narrow", 1), pictures, CLASS_NAMES)
    exact = Compute(torch.device("cpu"), torch.float32, torch.float32)
    ours = predict(trainee, pictures, compute=exact, workers=0).y_pred
    assert eager_float32(trainee, pictures)().tolist() == ours.tolist()


def test_time_is_booked_to_its_purpose():
    account = Account()
    assert account.booked(METRICS, sum)(range(1_000_000)) == sum(range(1_000_000))
    assert account.spent[METRICS] > 0
    assert account.spent[AVERAGE] == 0


def test_a_stopped_watch_stands_still():
    watch = Stopwatch()
    begin = watch()
    with watch.stopped():
        time.sleep(0.2)
    assert watch() - begin < 0.2
