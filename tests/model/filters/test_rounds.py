from dataclasses import replace

import numpy as np
import pytest

from model.filters.rounds import repeat_rounds
from model.job import Job, JobResult
from model.noise.record import DROPPED
from model.trainee import EpochResult


class ScriptedTrainer:
    """Scores each round as written; probabilities tell the round."""

    def __init__(self, *scores: float) -> None:
        self.scores = scores
        self.jobs: list[Job] = []

    def __call__(self, job: Job) -> JobResult:
        number = len(self.jobs) // 2
        self.jobs.append(job)
        score = self.scores[number]
        best = EpochResult(1, 1, 0, 0, 0, (score,) * 4, score, 0, 0, True)
        probs = np.full((len(job.predict), 4), 0.1 * (number + 1), dtype=np.float32)
        return JobResult(probs, best, {})


def rounds_with(crowd, recipe, trainer, rounds: int):
    judged: list[list[float]] = []

    def rule(history) -> np.ndarray:
        judged.append([float(probs[0, 0]) for probs in history])
        labels = crowd.material.labels.copy()
        labels[len(history) - 1] = DROPPED
        return labels

    found = repeat_rounds(
        "try", replace(recipe, filter_rounds=rounds), crowd.material, trainer, rule
    )
    return found, judged


def test_rounds_go_on_while_the_hold_out_gains(crowd, recipe):
    trainer = ScriptedTrainer(0.5, 0.6, 0.7)
    found, judged = rounds_with(crowd, recipe, trainer, 3)
    assert len(trainer.jobs) == 6
    assert [len(history) for history in judged] == [1, 2, 3]
    assert judged[-1] == pytest.approx([0.1, 0.2, 0.3])
    assert np.flatnonzero(found.labels == DROPPED).tolist() == [2]
    assert found.ending == "the limit of 3 was reached"


@pytest.mark.parametrize("second", [0.5, 0.4])
def test_a_round_that_does_not_gain_ends_it_and_leaves_no_trace(crowd, recipe, second):
    trainer = ScriptedTrainer(0.5, second, 0.9)
    found, judged = rounds_with(crowd, recipe, trainer, 3)
    assert len(trainer.jobs) == 4
    assert len(judged) == len(found.history) == 1
    assert np.flatnonzero(found.labels == DROPPED).tolist() == [0]
    assert found.ending == f"round 2 no longer helped (gmean-F1 0.5000, then {second:.4f})"


def test_each_round_learns_the_verdict_of_the_one_before_from_a_fresh_start(crowd, recipe):
    trainer = ScriptedTrainer(0.1, 0.2, 0.3)
    rounds_with(crowd, recipe, trainer, 3)
    first, second, third = (trainer.jobs[number].lesson.labels for number in (0, 2, 4))
    assert first.tolist() == crowd.material.labels.tolist()
    assert np.flatnonzero(second == DROPPED).tolist() == [0]
    # What the first round dropped is back: the source is judged anew.
    assert np.flatnonzero(third == DROPPED).tolist() == [1]
    assert all(job.initial is None for job in trainer.jobs)


def test_while_a_class_still_scores_nothing_the_mean_f1_tells_rounds_apart(crowd, recipe):
    class Half(ScriptedTrainer):
        def __call__(self, job: Job) -> JobResult:
            result = super().__call__(job)
            return replace(result, best=replace(result.best, gmean_f1=0.0))

    trainer = Half(0.5, 0.6)
    assert len(rounds_with(crowd, recipe, trainer, 2)[0].history) == 2
