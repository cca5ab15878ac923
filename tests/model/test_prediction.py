from dataclasses import replace

import numpy as np
import pytest
import torch

from model.devices import Compute
from model.prediction import encode_categories, inference_batch, predict
from model.training import Listener, fit


@pytest.fixture
def trained(recipe, make_source, make_trainee, compute):
    trainee = make_trainee(replace(recipe, epochs=6))
    fit(trainee, make_source(30), compute=compute, listener=Listener(lambda result: None))
    return trainee


def test_every_example_gets_probabilities_in_the_source_s_order(trained, make_source, compute):
    source, calls = make_source(100), []
    prediction = predict(
        trained, source, compute=compute, workers=0, on_progress=lambda *call: calls.append(call)
    )
    assert prediction.pred_probs.shape == (300, 3)
    assert prediction.pred_probs.sum(axis=1) == pytest.approx(np.ones(300), abs=1e-5)
    assert (prediction.y_pred == source.labels).mean() > 0.9
    assert calls == [("predicted", 256, 300), ("predicted", 300, 300)]


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


def test_a_submission_says_what_the_trained_network_says(trained, make_source, compute):
    source = make_source(100)
    framing = trained.blueprint.preprocess.framing
    order = np.arange(len(source))
    batch = next(iter(source.batches(order, batch_size=len(source), framing=framing, workers=0)))
    pixels = trained.blueprint.preprocess.to_input(batch.images, compute.device)
    ids = encode_categories(trained.blueprint, source, compute.device)
    with torch.no_grad():
        plain = trained.network.eval()(pixels, ids).softmax(dim=1).numpy()
    exact = predict(trained, source, compute=compute, workers=0)
    assert exact.pred_probs == pytest.approx(plain, abs=1e-5)
    reduced = Compute(torch.device("cpu"), torch.float32, torch.bfloat16)
    quick = predict(trained, source, compute=reduced, workers=0)
    assert (quick.y_pred == plain.argmax(axis=1)).mean() >= 0.995


@pytest.mark.parametrize(("size", "batch"), [(64, 256), (224, 128), (448, 32), (100_000, 1)])
def test_fewer_pictures_go_together_where_they_are_large(size, batch):
    assert inference_batch(size) == batch
