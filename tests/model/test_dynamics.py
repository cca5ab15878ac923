import numpy as np
import pytest
import torch

from model.dynamics import DynamicsRecorder
from model.ranks import SOLO

CPU = torch.device("cpu")


def test_loss_margin_and_confidence_are_those_of_the_label():
    recorder = DynamicsRecorder(4)
    logits = torch.tensor([[2.0, 1.0, 0.0], [0.0, 3.0, 1.0]])
    recorder.see(torch.tensor([2, 0]), logits, torch.tensor([0, 2]))
    recorder.close_epoch(SOLO, CPU)
    seen = recorder.result()
    probs = logits.softmax(1)
    assert seen.margins[0, 2] == 1.0
    assert seen.margins[0, 0] == -2.0
    assert seen.confidences[0, 2] == pytest.approx(probs[0, 0].item())
    assert seen.losses[0, 0] == pytest.approx(-probs[1, 2].log().item())
    assert np.isnan(seen.losses[0, [1, 3]]).all()


def test_an_example_without_a_label_is_not_recorded():
    recorder = DynamicsRecorder(2)
    recorder.see(torch.tensor([0, 1]), torch.zeros(2, 3), torch.tensor([-1, 1]))
    recorder.close_epoch(SOLO, CPU)
    assert np.isnan(recorder.result().losses[0]).tolist() == [True, False]


def test_several_visits_in_an_epoch_are_averaged_and_epochs_kept_apart():
    recorder = DynamicsRecorder(1)
    for margin in (1.0, 3.0):
        recorder.see(torch.tensor([0]), torch.tensor([[margin, 0.0]]), torch.tensor([0]))
    recorder.close_epoch(SOLO, CPU)
    recorder.see(torch.tensor([0]), torch.tensor([[0.0, 5.0]]), torch.tensor([0]))
    recorder.close_epoch(SOLO, CPU)
    assert recorder.result().margins[:, 0].tolist() == [2.0, -5.0]


def test_a_restored_recorder_goes_on_after_its_epochs():
    recorder, again = DynamicsRecorder(1), DynamicsRecorder(1)
    recorder.see(torch.tensor([0]), torch.tensor([[1.0, 0.0]]), torch.tensor([0]))
    recorder.close_epoch(SOLO, CPU)
    again.restore(recorder.tensors())
    again.see(torch.tensor([0]), torch.tensor([[4.0, 0.0]]), torch.tensor([0]))
    again.close_epoch(SOLO, CPU)
    assert again.result().margins[:, 0].tolist() == [1.0, 4.0]
