"""Entry of the submission: the one place where the model meets the platform.

    python main.py --data FOLDER                       train; checkpoints go to ./checkpoints
    python main.py --data FOLDER --mode infer --load checkpoints/best
    python main.py --dry-run                           does a submission of this code work?

On the platform, `nsml run` starts it without arguments, `nsml fork` and `nsml submit` with
`--pause 1`; the platform then calls the hooks that `bind_model` registers.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
import torch

import data_loader
import model
import nsml
from caching import with_cache
from options import (
    chosen_recipe,
    dataset_folder,
    given_dataset,
    given_ingredients,
    parse_arguments,
)
from reporting import (
    keep,
    keep_later,
    report_epoch,
    report_outcome,
    report_trial,
    save_outcome,
    say,
)

ENV_WORKERS = "NSML_WORKERS"
"""Processes to train on in parallel, as the platform grants them."""
ENV_RANK = "NSML_RANK"
"""Tells the platform's library which rank a process is; only rank 0 reports and saves."""
USER_ERRORS = (data_loader.DataError, model.ModelError)
"""Errors whose message says it all; they end the script without a traceback."""


Found = model.Trainee | model.Campaign | model.Ensemble
"""What a checkpoint may hold."""


@dataclass
class Desk:
    """Where the hooks find what is being trained, which comes and goes while the script runs."""

    training: bool
    """Whether a loaded trainee shall go on learning."""
    found: Found | None = None

    @property
    def work(self) -> Found:
        """What lies there.

        Raises:
            CheckpointError: If there is nothing yet.
        """
        if self.found is None:
            raise model.CheckpointError(
                "There is no network yet. Train one, or load a checkpoint with --load FOLDER."
            )
        return self.found


@dataclass(frozen=True)
class Hooks:
    """What the platform calls to save, restore and score the trainee."""

    save: Callable[..., None]
    load: Callable[..., None]
    infer: Callable[..., pd.DataFrame]


def make_hooks(desk: Desk) -> Hooks:
    """Hooks that work on whatever is on the desk at the time."""

    def save(dir_path: str, **_: object) -> None:
        desk.work.save(Path(dir_path))

    def load(dir_path: str, **_: object) -> None:
        desk.found = model.load_checkpoint(Path(dir_path), device(), training=desk.training)

    def infer(root_path: str, **_: object) -> pd.DataFrame:
        work, images = desk.work, data_loader.read_test(Path(root_path))
        progress = model.ProgressLines(say)
        prediction = model.predict_with(work, images, say=say, on_progress=progress)
        for line in images.report():
            say(line)
        return data_loader.prediction_table(images.names, prediction.y_pred)

    return Hooks(save, load, infer)


def device() -> torch.device:
    """Where networks live that a checkpoint brings."""
    return torch.device("cuda") if torch.cuda.is_available() else torch.device("cpu")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script; returns its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    args = parse_arguments(given, str(__doc__).splitlines()[0])
    try:
        return run(args, given)
    except USER_ERRORS as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2


def run(args: argparse.Namespace, given: Sequence[str]) -> int:
    """Bind, wait for the platform if asked to, then do what the mode says."""
    desk = Desk(training=args.mode == "train")
    hooks = make_hooks(desk)
    nsml.bind(save=hooks.save, load=hooks.load, infer=hooks.infer)
    if args.dry_run:
        return dry_run(args, desk, hooks)
    # The other ranks get their state from rank 0, which has talked to the platform already.
    if args.pause and not model.is_child():
        nsml.paused(scope=locals())
    if args.load and not model.is_child():
        hooks.load(args.load)
    if args.ensemble:
        join(args, desk)
    elif args.mode == "train":
        train(args, given, desk)
    else:
        table = hooks.infer(str(dataset_folder(args) / "test"))
        table.to_csv(args.prediction, index=False)
        say(f"Wrote {len(table)} predictions to {args.prediction}")
    return 0


def train(args: argparse.Namespace, given: Sequence[str], desk: Desk) -> None:
    """Train what is on the desk, or what the recipe asks for, on as many ranks as there are."""
    recipe = chosen_recipe(args)
    images = data_loader.read_train(dataset_folder(args), corrections=args.labels)
    images, recipe = with_cache(images, recipe, desk.found, args)
    if model.is_child():
        model.train_as_child(images, weights=args.weights)
        return
    if args.tune != 0 and desk.found is None:
        recipe = search(recipe, images, args.tune)
    if desk.found is None:
        say(f"Recipe {recipe.name}: {model.changes(model.Recipe(), recipe)}")
        if model.needs_campaign(recipe):
            desk.found = model.Campaign(recipe, data_loader.CLASS_NAMES)
        else:
            desk.found = model.start_trainee(
                recipe, images, data_loader.CLASS_NAMES, weights=args.weights
            )
    else:
        continue_training(desk.found, recipe)
    workers = int(os.environ.get(ENV_WORKERS) or max(1, torch.cuda.device_count()))
    launch = model.Launch(
        workers,
        [sys.executable, str(Path(__file__).resolve()), *given, "--cache", images.cache_kind],
        lambda rank: {ENV_RANK: str(rank)},
    )
    if isinstance(desk.found, model.Campaign):
        train_many(desk, desk.found, images, launch, args)
    else:
        train_one(desk, images, launch, args)
    for line in images.report():
        say(line)


def search(recipe: model.Recipe, images: data_loader.ReviewImages, trials: int) -> model.Recipe:
    """Best recipe of several trials, each told and reported."""

    def after_trial(result: model.TrialResult) -> None:
        report_trial(result, recipe)

    say(f"Searching recipe {recipe.name} in {trials} trials")
    names = data_loader.CLASS_NAMES
    return model.tune(recipe, images, names, trials=trials, on_trial=after_trial)


def train_one(
    desk: Desk, images: data_loader.ReviewImages, launch: model.Launch, args: argparse.Namespace
) -> None:
    """Train one network; `best` and `last` are saved as it learns."""
    trainee = desk.work
    assert isinstance(trainee, model.Trainee), "continue_training refused everything else"
    epochs = trainee.blueprint.recipe.epochs

    writer = model.BackgroundWriter()

    def after_epoch(result: model.EpochResult) -> None:
        # What an epoch's line announces stands on the epoch before, which is on disk by then.
        writer.wait()
        report_epoch(result, epochs=epochs, step=result.step)
        if result.is_best:
            keep_later(writer, "best", trainee.snapshot_network(), args.checkpoints)
        # The newest checkpoint is the one to continue from.
        keep_later(writer, "last", trainee.snapshot(), args.checkpoints)

    with writer:
        model.train(
            trainee,
            images,
            launch=launch,
            listener=model.Listener(after_epoch, model.ProgressLines(say)),
            on_start=lambda setting: say(
                f"Training on {len(images)} pictures: {launch.size} x {setting}"
            ),
        )
    best = trainee.progress.best
    if best is not None:
        say(f"Best: epoch {best.epoch}, validation gmean-F1 {best.gmean_f1:.4f}")


def train_many(
    desk: Desk,
    campaign: model.Campaign,
    images: data_loader.ReviewImages,
    launch: model.Launch,
    args: argparse.Namespace,
) -> None:
    """Do all trainings of a recipe; `best` is the newest network, and in the end the ensemble."""
    writer = model.BackgroundWriter()

    def after_epoch(name: str, result: model.EpochResult) -> None:
        writer.wait()
        current = campaign.current
        assert current is not None, "an epoch belongs to a training"
        epochs = current.blueprint.recipe.epochs
        report_epoch(result, epochs=epochs, step=campaign.steps + result.step, name=name)
        if result.is_best:
            keep_later(writer, "best", current.snapshot_network(), args.checkpoints)
        keep_later(writer, "last", campaign.snapshot(), args.checkpoints)

    with writer:
        outcome = model.conduct(
            campaign,
            images,
            launch=launch,
            listener=model.CampaignListener(after_epoch, model.ProgressLines(say)),
            say=say,
            weights=args.weights,
        )
    report_outcome(outcome, data_loader.CLASS_NAMES, step=campaign.steps)
    desk.found = outcome.ensemble
    keep("best", partial(save_outcome, outcome, images), args.checkpoints)
    keep("last", campaign.save, args.checkpoints)


def join(args: argparse.Namespace, desk: Desk) -> None:
    """Make one checkpoint out of several, of this session, of others, or in folders."""
    ingredients = given_ingredients(args, device())
    desk.found = model.join_ensembles(ingredients, chosen_recipe(args), say=say)
    keep("best", desk.found.save, args.checkpoints)


def continue_training(found: Found, asked: model.Recipe) -> None:
    """Tell where a loaded training goes on, and that its own recipe holds.

    Raises:
        CheckpointError: If it is finished for good.
    """
    if isinstance(found, model.Ensemble):
        raise model.CheckpointError(
            "This checkpoint is a finished ensemble, which cannot go on learning. "
            "Fork from `last`, or predict with --mode infer."
        )
    if isinstance(found, model.Campaign):
        own = found.recipe
        say(f"Continuing {own.name} after {len(found.finished)} finished trainings")
    else:
        own = found.blueprint.recipe
        say(f"Continuing {own.name} after epoch {found.progress.epoch} of {own.epochs}")
    if asked != own:
        say(f"Note: the checkpoint's recipe holds; ignored: {model.changes(own, asked)}")


def dry_run(args: argparse.Namespace, desk: Desk, hooks: Hooks) -> int:
    """Rehearse a submission on a tiny slice; the exit code is 1 if a step failed."""

    def keep(found: model.Trainee | model.Ensemble) -> None:
        desk.found = found

    with tempfile.TemporaryDirectory(prefix="dry-run-") as folder:
        rehearsal = model.Rehearsal(
            folder=Path(folder),
            recipe=chosen_recipe(args),
            class_names=data_loader.CLASS_NAMES,
            read_train=data_loader.read_train,
            slice_dataset=data_loader.slice_dataset,
            keep=keep,
            save=hooks.save,
            command=(sys.executable, str(Path(__file__).resolve())),
        )
        steps = rehearsal.steps(given_dataset(args), args.weights)
        return 0 if model.rehearse(steps, say, expected=USER_ERRORS) else 1


if __name__ == "__main__":
    sys.exit(main())
