"""What the filters' trainings have in common: recipes, folds, and the way to a record.

N examples, J judged examples, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.batch import UNKNOWN_LABEL
from model.config import COSINE, CROSS_ENTROPY, NONE, Recipe
from model.dynamics import Dynamics
from model.job import Job, JobResult, Material, Trainer
from model.lesson import Lesson
from model.noise.floor import keep_floor
from model.noise.record import FilterRecord
from model.split import Split

Labels = NDArray[np.int64]
Scores = NDArray[np.float64]

COVERING = 2
"""Folds after which every example was trained on at least once: nobody is in two folds."""
BALANCES = (0.0, 1.0)
"""Samplers that networks which judge together take in turn.

Where rare classes lose items to common ones, a network trained on balanced classes sees it best;
where they receive wrong items, such a network learns those. Nobody knows in advance which it is,
and the mean of both kinds is nearly as good as the better one. AUROC of the margins with natural,
balanced, and one network of each: 0.86, 0.94, 0.92 on fashion5 and 0.78, 0.66, 0.77 on imb5m_aggre,
real label errors of the one and of the other direction.
"""


def judging(recipe: Recipe, **changes: Any) -> Recipe:
    """Recipe of a training whose predictions shall judge labels.

    It is the recipe, but shorter if `filter_epochs` says so, and without what only serves a last
    point of the score or is meant for its full length.
    """
    epochs = recipe.filter_epochs or recipe.epochs
    common: dict[str, Any] = {
        "noise_filter": NONE,
        "epochs": epochs,
        # Rules that count expect the shares of the classes as given; for the sampler, see BALANCES.
        "balance": 0.0,
        "logit_adjustment": 0.0,
        # These take whole epochs; a short training must not consist of them.
        "head_epochs": min(recipe.head_epochs, epochs // 2),
        "warmup_epochs": min(recipe.warmup_epochs, epochs / 2),
        "finetune_epochs": 0,
        # It would replace the moving average, which here is the teacher and forgets early mistakes.
        "swa_epochs": 0,
    }
    return replace(recipe, **{**common, **changes})


def watched(recipe: Recipe, **changes: Any) -> Recipe:
    """Recipe of a training that records how each example fares.

    Every example is to be seen once an epoch, with its own label, on the same terms as all others.
    """
    common: dict[str, Any] = {
        # The loss of a blend is that of two labels.
        "mixing": NONE,
        "consistency": 0.0,
        # The records show the bare logits: the network would leave to the prior what they lack.
        "category_prior": NONE,
        # The records are cross-entropy and its margins, over all epochs, at one input size.
        "loss": CROSS_ENTROPY,
        "patience": 0,
        "start_size": 0,
        "head_epochs": 0,
    }
    return judging(recipe, **{**common, "schedule": COSINE, **changes})


def balanced(recipe: Recipe, number: int) -> Recipe:
    """The recipe with the sampler of the network that is trained as `number`-th, from 0."""
    return replace(recipe, balance=BALANCES[number % len(BALANCES)])


def judged_positions(material: Material) -> Labels:
    """Examples that have a label and a fold, ascending."""
    return np.flatnonzero((material.labels != UNKNOWN_LABEL) & (material.folds >= 0))


def all_folds(material: Material) -> list[int]:
    """Every fold that exists, ascending."""
    return np.unique(material.folds[material.folds >= 0]).tolist()


def fold_job(name: str, recipe: Recipe, material: Material, labels: Labels, fold: int) -> Job:
    """A training on `labels` with one fold held out, that predicts the held-out examples."""
    learn, held_out = material.held_out(fold)
    told = f"{name}, fold {fold + 1} of {len(all_folds(material))}"
    return Job(told, recipe, Lesson(Split(learn, held_out), labels), held_out)


def covering_folds(material: Material) -> tuple[int, ...]:
    """The fewest trained folds that, held out in turn, leave no example unseen.

    With a single one its examples stay unseen; they then only ever validate.
    """
    return material.folds_trained[:COVERING]


def watch(job: Job, train: Trainer) -> Dynamics:
    """Do a job and return how each example fared in it."""
    dynamics = train(replace(job, wants_dynamics=True)).dynamics
    assert dynamics is not None, "a job that wants dynamics gets them"
    return dynamics


@dataclass(frozen=True, eq=False)
class Opinion:
    """What the networks of all trained folds think."""

    pred_probs: Scores
    """Their mean probabilities of `judged_positions`, float [J, K]."""
    rank: tuple[float, float]
    """Mean `EpochResult.rank` of their hold-outs, by the labels of the source."""


def opinion_of(results: list[JobResult]) -> Opinion:
    """Join the results of several trainings that predicted the same examples."""
    ranks = np.mean([result.best.rank for result in results], axis=0)
    tables = np.stack([result.pred_probs for result in results])
    probs = tables.mean(axis=0, dtype=np.float64)
    return Opinion(probs, (float(ranks[0]), float(ranks[1])))


def ask_all(
    name: str, recipe: Recipe, material: Material, labels: Labels, train: Trainer
) -> Opinion:
    """Train on `labels`, once per trained fold, and ask every network about every example.

    The samplers alternate. Most examples are in most networks' training share, so the answer shows
    what networks that do not remember single examples think; those that do say what they were told.
    """
    judged = judged_positions(material)
    results: list[JobResult] = []
    for number, fold in enumerate(material.folds_trained):
        job = fold_job(name, balanced(recipe, number), material, labels, fold)
        results.append(train(replace(job, predict=judged)))
    return opinion_of(results)


def ask_outsiders(
    name: str, recipe: Recipe, material: Material, train: Trainer
) -> NDArray[np.float32]:
    """Probabilities of every example by a network that never saw it.

    Returns:
        Float [N, K]; zeros for examples in no fold.
    """
    probs = np.zeros((len(material.labels), material.num_classes), dtype=np.float32)
    for fold in all_folds(material):
        job = fold_job(name, recipe, material, material.labels, fold)
        probs[job.predict] = train(job).pred_probs
    return probs


def conclude(
    method: str, material: Material, labels: Labels, scores: Scores, reason: str
) -> FilterRecord:
    """The record of a filter, with no class below its floor.

    Args:
        method: Name of the filter.
        material: What was judged.
        labels: Label that each example shall learn, int [N].
        scores: Trust in each given label, float [N]; NaN where it was not judged, and then the
            given label stays.
        reason: By which rule.
    """
    judged = np.flatnonzero((material.labels != UNKNOWN_LABEL) & ~np.isnan(scores))
    final = material.labels.copy()
    if len(judged):
        final[judged] = keep_floor(material.labels[judged], labels[judged], scores[judged])
    spared = int((final[judged] != labels[judged]).sum())
    if spared:
        reason = f"{reason} {spared} more were spared, so that every class keeps enough labels."
    return FilterRecord(method, material.labels, final, scores, reason)


def spread(values: Scores, positions: Labels, count: int) -> Scores:
    """Values of some examples among all N; NaN elsewhere."""
    everyone = np.full(count, np.nan)
    everyone[positions] = values
    return everyone
