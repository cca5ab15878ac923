from dataclasses import replace

import numpy as np
import pytest
import torch

from model.devices import Compute
from model.prediction import predict
from model.training import Listener, fit


@pytest.fixture
def trained(recipe, make_source, make_trainee, compute):
    trainee = make_trainee(replace(recipe, epochs=6))
    fit(trainee, make_source(30), compute=compute, listener=Listener(lambda result: None))
    return trainee


def test_every_example_gets_probabilities_in_the_source_s_order(trained, make_source, compute):
    source, calls = make_source(50), []
    prediction = predict(
        trained, source, compute=compute, workers=0, on_progress=lambda *call: calls.append(call)
    )
    assert prediction.pred_probs.shape == (150, 3)
    assert prediction.pred_probs.sum(axis=1) == pytest.approx(np.ones(150), abs=1e-5)
    assert (prediction.y_pred == source.labels).mean() > 0.9
    assert calls == [("predicted", 128, 150), ("predicted", 150, 150)]


def test_unreadable_pictures_are_predicted_and_counted(trained, make_source, compute):
    source = make_source(unreadable=frozenset({1, 7}))
    prediction = predict(trained, source, compute=compute, workers=0)
    assert prediction.unreadable == 2
    assert len(prediction.y_pred) == 30


def test_unseen_categories_are_predicted_too(trained, make_source, compute):
    source = make_source()
    strange = replace(source, categories=[("never", "met")] * 15 + [()] * 15)
    assert len(predict(trained, strange, compute=compute, workers=0).y_pred) == 30


def test_bf16_inference_keeps_the_predictions(trained, make_source, compute):
    source = make_source(100)
    exact = predict(trained, source, compute=compute, workers=0)
    reduced = Compute(torch.device("cpu"), torch.float32, torch.bfloat16)
    quick = predict(trained, source, compute=reduced, workers=0)
    assert (exact.y_pred == quick.y_pred).mean() >= 0.995
    assert exact.pred_probs == pytest.approx(quick.pred_probs, abs=0.05)
