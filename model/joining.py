"""One ensemble out of several checkpoints: of this session, of others, of folders.

S checkpoints, N examples, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from model.blend import blend
from model.config import OUT_OF_FOLD, Recipe
from model.ensemble import Ensemble
from model.errors import CheckpointError
from model.out_of_fold import OutOfFold
from model.pipeline import decide


@dataclass(frozen=True, eq=False)
class Ingredient:
    """One checkpoint that takes part."""

    ensemble: Ensemble
    """What it predicts with; a single network is an ensemble of one."""
    out_of_fold: OutOfFold | None
    """Its held-out predictions, if it kept them."""


def join_ensembles(
    ingredients: Sequence[Ingredient], recipe: Recipe, *, say: Callable[[str], None]
) -> Ensemble:
    """Join checkpoints into one that submits like any other.

    Args:
        ingredients: S of them, at least one.
        recipe: Its `ensemble_mean`, `ensemble_weights` and `decision_rule` hold.
        say: Gets what people should know, line by line.

    Raises:
        CheckpointError: If they answer different questions, or weights or a decision rule are to
            be fitted and a checkpoint has no held-out predictions of the same examples.
    """
    names = ingredients[0].ensemble.class_names
    if any(ingredient.ensemble.class_names != names for ingredient in ingredients):
        raise CheckpointError("These checkpoints know different classes; join equal ones only.")
    weights = np.full(len(ingredients), 1 / len(ingredients))
    offsets = (0.0,) * len(names)
    if recipe.ensemble_weights == OUT_OF_FOLD or recipe.decision_rule != "argmax":
        table = joint_table(ingredients, recipe)
        weights, decision = decide(recipe, table, table.given)
        offsets = decision.offsets
        say(
            f"On {len(table.covered)} held-out pictures: gmean-F1 {decision.argmax_f1:.4f}, "
            f"with the decision rule {decision.decided_f1:.4f}"
        )
    shares = [
        float(weight) * share
        for weight, ingredient in zip(weights, ingredients, strict=True)
        for share in ingredient.ensemble.weights
    ]
    members = [member for ingredient in ingredients for member in ingredient.ensemble.members]
    say(f"Joined {len(ingredients)} checkpoints, {len(members)} networks")
    return Ensemble(
        members=tuple(members),
        weights=tuple(shares),
        mean=recipe.ensemble_mean,
        offsets=offsets,
        class_names=names,
    )


def joint_table(ingredients: Sequence[Ingredient], recipe: Recipe) -> OutOfFold:
    """Held-out predictions of all checkpoints for the same examples, one row of members each.

    Raises:
        CheckpointError: If one has none, or they are of other examples.
    """
    tables = [ingredient.out_of_fold for ingredient in ingredients]
    known = [table for table in tables if table is not None]
    if len(known) < len(tables):
        raise CheckpointError(
            f"{len(tables) - len(known)} of {len(tables)} checkpoints kept no held-out "
            "predictions, which weights and decision rules are fitted on. Join checkpoints `best` "
            "of finished recipes with folds, or --set ensemble_weights=equal decision_rule=argmax."
        )
    first = known[0]
    if any(not np.array_equal(table.given, first.given) for table in known):
        raise CheckpointError(
            "These checkpoints learned from different examples, so their held-out predictions do "
            "not match. Join sessions of one dataset, or --set ensemble_weights=equal."
        )
    rows = [
        blend(
            table.pred_probs,
            np.full(len(table.pred_probs), 1 / len(table.pred_probs)),
            mean=recipe.ensemble_mean,
        )
        for table in known
    ]
    return OutOfFold(np.stack(rows), first.given, first.folds)
