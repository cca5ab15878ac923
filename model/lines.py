"""The lines of an ensemble: trainings of one recipe, each with another part held out.

N examples, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from model.config import CROSS_CHECKED, NONE, Recipe
from model.errors import ConfigError
from model.job import Job, JobResult, Material, Trainer
from model.out_of_fold import OutOfFold

Line = tuple[tuple[Job, JobResult], ...]
"""Trainings that differ in what they held out, in the order in which they were done."""


@dataclass(eq=False)
class Ledger:
    """The trainings that were asked for, in order."""

    done: list[tuple[Job, JobResult]] = field(default_factory=list[tuple[Job, JobResult]])

    def noting(self, train: Trainer) -> Trainer:
        """The same trainer, whose trainings are noted here."""

        def noted(job: Job) -> JobResult:
            result = train(job)
            self.done.append((job, result))
            return result

        return noted

    def lines(self) -> list[Line]:
        """Trainings of equal recipes together, in the order in which the recipes came up."""
        recipes = dict.fromkeys(job.recipe for job, _ in self.done)
        return [tuple(pair for pair in self.done if pair[0].recipe == one) for one in recipes]


def held_out_table(lines: Sequence[Line], material: Material) -> OutOfFold:
    """What every line thinks of the examples that its networks held out.

    Args:
        lines: At least one; each training predicted nothing that it had learned from.
        material: The examples.

    Returns:
        A table of one entry per line, float [lines, N, K]; NaN where no network of it predicted.
    """
    shape = len(lines), len(material.labels), material.num_classes
    table = np.full(shape, np.nan, dtype=np.float32)
    for number, line in enumerate(lines):
        for job, result in line:
            table[number, job.predict] = result.pred_probs
    return OutOfFold(table, material.labels, material.folds)


def check_filter_members(recipe: Recipe) -> None:
    """Raise if a recipe wants networks of a filter that cannot join an ensemble.

    Without a filter there are none, which is no mistake.

    Raises:
        ConfigError: If it does. Networks of the other filters have seen what they judge, so that
            nothing is known of how good they are, or they have other outputs.
    """
    if recipe.filter_members and recipe.noise_filter not in (NONE, *CROSS_CHECKED):
        raise ConfigError(
            f"filter_members joins the networks that judged the labels, but noise_filter is "
            f"{recipe.noise_filter!r}, whose networks cannot join. "
            f"Give --set noise_filter={CROSS_CHECKED[-1]}, or filter_members=false."
        )
