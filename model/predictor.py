"""Whatever a checkpoint holds, loaded and made to predict."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from model.batch import ExampleSource
from model.campaign import Campaign, is_campaign, load_campaign
from model.devices import Compute, choose_compute, choose_device, loader_workers, prepare_device
from model.ensemble import (
    Ensemble,
    EnsemblePrediction,
    is_ensemble,
    load_ensemble,
    predict_ensemble,
)
from model.errors import CheckpointError
from model.networks import build_network
from model.prediction import Prediction, predict
from model.progress import OnProgress
from model.trainee import Trainee, load_trainee

Found = Trainee | Campaign | Ensemble
"""What a checkpoint may hold."""


def load_checkpoint(folder: Path, device: torch.device, *, training: bool) -> Found:
    """Rebuild what a checkpoint holds: one network, an ensemble, or an unfinished campaign.

    Args:
        folder: The checkpoint.
        device: Where it shall work.
        training: Whether it will go on learning.

    Raises:
        CheckpointError: If the folder is no checkpoint that this code understands.
    """
    if is_campaign(folder):
        return load_campaign(folder, device)
    if is_ensemble(folder):
        return load_ensemble(folder, device)
    return load_trainee(folder, device, training=training)


def predict_with(
    found: Found,
    source: ExampleSource,
    *,
    say: Callable[[str], None],
    on_progress: OnProgress,
) -> Prediction | EnsemblePrediction:
    """Classes of every example; an unfinished campaign predicts with its newest network.

    Raises:
        CheckpointError: If a campaign has no network yet.
    """
    device = choose_device()
    threads = prepare_device(device, ranks=1)
    predictor = newest_network(found) if isinstance(found, Campaign) else found

    def compute_of(trainee: Trainee) -> Compute:
        recipe = trainee.blueprint.recipe
        return choose_compute(recipe.precision, trainee.network, device)

    whom = predictor.members[0].trainee if isinstance(predictor, Ensemble) else predictor
    say(
        f"Predicting {len(source)} pictures: {compute_of(whom)}, "
        f"{threads} thread{'s' * (threads > 1)}"
    )
    if isinstance(predictor, Ensemble):
        recipe = predictor.members[0].blueprint.recipe
        prediction = predict_ensemble(
            predictor,
            source,
            compute_of=compute_of,
            workers=loader_workers(recipe.loader_workers, ranks=1),
            on_progress=on_progress,
        )
        for cost in prediction.costs:
            say(
                f"  {cost.name}: {1e3 * cost.compute:.1f} ms per picture to compute, "
                f"{1e3 * cost.decode:.1f} ms to wait for pixels"
            )
        return prediction
    if predictor.learner is None:
        predictor.to(device)
    recipe = predictor.blueprint.recipe
    return predict(
        predictor,
        source,
        compute=compute_of(predictor),
        workers=loader_workers(recipe.loader_workers, ranks=1),
        on_progress=on_progress,
    )


def newest_network(campaign: Campaign) -> Trainee:
    """The network under way, or the one that was finished last.

    Raises:
        CheckpointError: If no training has reached the end of an epoch.
    """
    if campaign.current is not None:
        return campaign.current
    if not campaign.finished or campaign.finished[-1].blueprint is None:
        raise CheckpointError(
            "This campaign has no network yet; submit again when an epoch is finished."
        )
    result = campaign.finished[-1]
    blueprint = result.blueprint
    assert blueprint is not None
    network = build_network(
        blueprint.recipe,
        num_classes=len(blueprint.class_names),
        category_sizes=blueprint.vocabulary.sizes,
        pretrained=False,
    )
    network.load_state_dict(dict(result.network))
    return Trainee(blueprint, network)
