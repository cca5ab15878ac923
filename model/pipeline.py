"""A recipe with several trainings: folds, noise filter, ensemble, decision rule.

    folds ─► filter (its own trainings) ─► one member per variant and fold ─► weights ─► offsets

N examples, V variants, K classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from model.batch import UNKNOWN_LABEL
from model.blend import blend, fit_weights
from model.config import ARGMAX, NONE, OUT_OF_FOLD, Recipe
from model.decision import cross_fitted_score, fit_offsets, gmean_f1_of
from model.ensemble import Ensemble, Member
from model.errors import ConfigError
from model.filters import FILTERS
from model.folds import grouped_folds
from model.job import Job, JobResult, Material, Trainer
from model.lesson import Lesson
from model.lines import Ledger, Line, check_filter_members, held_out_table
from model.networks import build_network
from model.noise.record import FilterRecord
from model.out_of_fold import OutOfFold
from model.split import Split, stratified_split

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Variant:
    """One line of the ensemble: a recipe, trained once per fold."""

    name: str
    recipe: Recipe


@dataclass(frozen=True)
class MemberRow:
    """What the closing table says of one training."""

    name: str
    epoch: int
    """Epoch that was kept."""
    gmean_f1: float
    """On its hold-out, by given labels."""
    weight: float
    """Share of its predictions in the ensemble, 0..1."""


@dataclass(frozen=True)
class Decision:
    """How classes are chosen, and what that is worth on held-out predictions."""

    offsets: tuple[float, ...]
    """Added to the log-probabilities before the largest is taken; K, 0 for the plain argmax."""
    argmax_f1: float
    """gmean-F1 of the most probable class, by the labels that were learned."""
    decided_f1: float
    """The same with offsets, each fold decided with those that were fitted on the others."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a recipe led to."""

    ensemble: Ensemble
    record: FilterRecord | None
    """What the noise filter did; None without one."""
    out_of_fold: OutOfFold
    rows: tuple[MemberRow, ...]
    decision: Decision


def needs_campaign(recipe: Recipe) -> bool:
    """Whether a recipe asks for more than one training on the given labels."""
    return (
        recipe.folds > 1
        or recipe.noise_filter != NONE
        or len(variants(recipe)) > 1
        or recipe.decision_rule != ARGMAX
    )


def variants(recipe: Recipe) -> list[Variant]:
    """The recipes whose networks the ensemble joins, in the order in which they are trained.

    Raises:
        ConfigError: If a list of the recipe cannot be read.
    """
    backbones = _words(recipe.backbones) or [recipe.backbone]
    sizes = [_side(word) for word in _words(recipe.image_sizes)] or [recipe.image_size]
    found: list[Variant] = []
    for backbone in backbones:
        for size in sizes:
            for number in range(recipe.seeds):
                told = [f"{size} px"]
                told += [backbone] if len(backbones) > 1 else []
                told += [f"seed {recipe.seed + number}"] if recipe.seeds > 1 else []
                changed = replace(
                    recipe, backbone=backbone, image_size=size, seed=recipe.seed + number
                )
                found.append(Variant(", ".join(told), changed))
    return found


def run_recipe(
    recipe: Recipe,
    *,
    material: Material,
    class_names: tuple[str, ...],
    train: Trainer,
    say: Say,
) -> Outcome:
    """Do all trainings of a recipe and join what they learned.

    Args:
        recipe: Says what to do.
        material: Labels, folds and categories, see `make_material`.
        class_names: Names of the K classes.
        train: Does one training.
        say: Gets what people should know, line by line.

    Raises:
        TrainingError: If the data or a loss do not allow to go on.
        ConfigError: If the recipe asks for something that does not exist.
    """
    check_filter_members(recipe)
    record, judges = None, Ledger()
    if recipe.noise_filter != NONE:
        say(f"Noise filter {recipe.noise_filter}")
        record = FILTERS[recipe.noise_filter](recipe, material, judges.noting(train))
        for line in record.report(class_names):
            say(line)
    labels = material.labels if record is None else record.labels
    members = Ledger()
    for variant in variants(recipe):
        for fold in material.folds_trained[: recipe.member_folds or None]:
            members.noting(train)(member_job(variant, material, labels, fold))
    lines = members.lines()
    if recipe.filter_members:
        lines += judges.lines()
    return _joined(recipe, lines, material, record)


def member_job(variant: Variant, material: Material, labels: NDArray[np.int64], fold: int) -> Job:
    """Training of one variant with one fold held out."""
    learn, held_out = material.held_out(fold)
    of = f", fold {fold + 1} of {variant.recipe.folds}" if variant.recipe.folds > 1 else ""
    lesson = Lesson(Split(learn, held_out), labels)
    return Job(f"{variant.name}{of}", variant.recipe, lesson, held_out)


def make_material(
    recipe: Recipe,
    *,
    labels: NDArray[np.int64],
    categories: list[tuple[str, ...]],
    groups: NDArray[np.int64],
    class_names: tuple[str, ...],
) -> Material:
    """Split the examples into folds; without a cross-validation, into a hold-out and the rest.

    Args:
        recipe: Its folds, shares and seed.
        labels: Given label, int [N].
        categories: Product category of each example, N tuples.
        groups: Examples of equal number stay together, int [N].
        class_names: Names of the K classes.

    Raises:
        TrainingError: If a class has too few examples.
    """
    if recipe.folds == 1:
        split = stratified_split(labels, class_names, share=recipe.valid_share, seed=recipe.seed)
        folds = np.full(len(labels), -1, dtype=np.int64)
        folds[split.train], folds[split.valid] = 1, 0
        trained: tuple[int, ...] = (0,)
    else:
        folds = grouped_folds(labels, groups, folds=recipe.folds, seed=recipe.seed)
        trained = tuple(range(min(recipe.folds_trained or recipe.folds, recipe.folds)))
    return Material(labels, len(class_names), folds, trained, categories)


def _joined(
    recipe: Recipe, lines: list[Line], material: Material, learned: FilterRecord | None
) -> Outcome:
    """Weights and offsets from held-out predictions, and the ensemble they make."""
    out_of_fold = held_out_table(lines, material)
    labels = out_of_fold.given if learned is None else learned.labels
    weights, decision = decide(recipe, out_of_fold, labels)
    trained = [
        (job, result, float(weight) / len(line))
        for line, weight in zip(lines, weights, strict=True)
        for job, result in line
    ]
    members = tuple(_member(result) for _, result, _ in trained)
    ensemble = Ensemble(
        members=members,
        weights=tuple(share for _, _, share in trained),
        mean=recipe.ensemble_mean,
        offsets=decision.offsets,
        class_names=members[0].blueprint.class_names,
    )
    rows = tuple(
        MemberRow(job.name, result.best.epoch, result.best.gmean_f1, share)
        for job, result, share in trained
    )
    return Outcome(ensemble, learned, out_of_fold, rows, decision)


def decide(
    recipe: Recipe, out_of_fold: OutOfFold, labels: NDArray[np.int64]
) -> tuple[NDArray[np.float64], Decision]:
    """Weights of the members and the decision rule, from held-out predictions alone.

    Args:
        recipe: How members are averaged and weighed, and how classes are chosen.
        out_of_fold: Held-out predictions.
        labels: What the training learned, int [N]; UNKNOWN_LABEL takes no part.

    Returns:
        Weights, float [M], sum 1; and the decision with its score.
    """
    covered = out_of_fold.covered
    covered = covered[labels[covered] != UNKNOWN_LABEL]
    probs, known = out_of_fold.pred_probs[:, covered], labels[covered]
    weights = np.full(len(probs), 1 / len(probs))
    if recipe.ensemble_weights == OUT_OF_FOLD and len(probs) > 1:
        weights = fit_weights(probs, known, mean=recipe.ensemble_mean)
    blended = blend(probs, weights, mean=recipe.ensemble_mean)
    num_classes = blended.shape[1]
    argmax_f1 = gmean_f1_of(known, blended.argmax(axis=1), num_classes)
    if recipe.decision_rule == ARGMAX:
        return weights, Decision((0.0,) * num_classes, argmax_f1, argmax_f1)
    offsets = fit_offsets(blended, known)
    folds = out_of_fold.folds[covered]
    if len(np.unique(folds)) < 2:
        # A single hold-out is scored in two halves, each with the other's offsets.
        folds = np.arange(len(covered)) % 2
    decided_f1 = cross_fitted_score(blended, known, folds)
    return weights, Decision(tuple(float(value) for value in offsets), argmax_f1, decided_f1)


def _member(result: JobResult) -> Member:
    blueprint = result.blueprint
    assert blueprint is not None, "a campaign keeps the blueprint of every training"
    network = build_network(
        blueprint.recipe,
        num_classes=len(blueprint.class_names),
        category_sizes=blueprint.vocabulary.sizes,
        pretrained=False,
    )
    network.load_state_dict(dict(result.network))
    return Member(blueprint, network)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _side(word: str) -> int:
    if not word.isdecimal() or not 16 <= int(word) <= 1024:
        raise ConfigError(
            f"image_sizes holds {word!r}; give sides of 16..1024 pixels, as in 192,224,256."
        )
    return int(word)
