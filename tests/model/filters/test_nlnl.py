import numpy as np

from model.config import Recipe
from model.dynamics import Dynamics
from model.filters.nlnl import late_confidence
from model.job import Job, JobResult
from model.lesson import Lesson
from model.noise.record import DROPPED
from model.split import Split
from model.trainee import EpochResult


def test_negative_selective_negative_and_selective_positive_follow_one_another(outcome):
    _, trainer = outcome("nlnl")
    stages = trainer.jobs[:3]
    assert [job.recipe.loss for job in stages] == ["negative", "negative", "cross_entropy"]
    assert [job.name for job in stages] == [
        "NL, fold 1 of 5",
        "SelNL, fold 1 of 5",
        "SelPL, fold 1 of 5",
    ]
    assert stages[0].initial is None
    assert stages[1].initial is trainer.results[0].network
    assert stages[2].initial is trainer.results[1].network


def test_the_stages_learn_fewer_and_fewer_wrong_labels(crowd, outcome):
    _, trainer = outcome("nlnl")
    train = trainer.jobs[0].lesson.split.train
    counts = [
        int((crowd.wrong[train] & (job.lesson.labels[train] != DROPPED)).sum())
        for job in trainer.jobs[:3]
    ]
    assert counts[0] == crowd.wrong[train].sum()
    assert counts[0] > counts[1] >= counts[2]
    assert counts[2] < 0.2 * counts[0]


def test_a_late_confidence_is_the_mean_of_the_last_ten_epochs_or_the_prediction():
    confidences = np.full((12, 4), np.nan, dtype=np.float32)
    confidences[:, 0] = [9, 9, *np.linspace(0, 0.9, 10)]
    confidences[:, 1] = 0.25
    lesson = Lesson(Split(np.array([0, 1]), np.array([3])), np.array([0, 1, 0, 1]))
    job = Job("NL", Recipe(), lesson, predict=np.array([1, 3, 0]))
    empty = np.zeros((12, 4), dtype=np.float32)
    best = EpochResult(1, 1, 0.0, 0.0, 0.0, (1.0, 1.0), 1.0, 0.0, 0, True)
    dynamics = Dynamics(empty, empty, confidences)
    result = JobResult(np.zeros((3, 2), np.float32), best, {}, dynamics)
    told = np.array([0.7, 0.8, 0.6])
    assert np.allclose(late_confidence(job, result, told), [0.25, 0.8, 0.45])
