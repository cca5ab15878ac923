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
from pathlib import Path
from typing import Any

import pandas as pd
import torch

import data_loader
import model
import nsml

ENV_WORKERS = "NSML_WORKERS"
"""Processes to train on in parallel, as the platform grants them."""
ENV_RANK = "NSML_RANK"
"""Tells the platform's library which rank a process is; only rank 0 reports and saves."""
USER_ERRORS = (data_loader.DataError, model.ModelError)
"""Errors whose message says it all; they end the script without a traceback."""


@dataclass
class Desk:
    """Where the hooks find the trainee, which comes and goes while the script runs."""

    training: bool
    """Whether a loaded trainee shall go on learning."""
    found: model.Trainee | None = None

    @property
    def trainee(self) -> model.Trainee:
        """The trainee.

        Raises:
            CheckpointError: If there is none yet.
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
    """Hooks that work on whatever trainee is on the desk at the time."""

    def save(dir_path: str, **_: object) -> None:
        desk.trainee.save(Path(dir_path))

    def load(dir_path: str, **_: object) -> None:
        device = torch.device("cuda") if torch.cuda.is_available() else torch.device("cpu")
        desk.found = model.load_trainee(Path(dir_path), device, training=desk.training)

    def infer(root_path: str, **_: object) -> pd.DataFrame:
        trainee = desk.trainee
        images = data_loader.read_test(Path(root_path))
        setting = model.settle(trainee)
        say(f"Predicting {len(images)} pictures on {setting}")
        prediction = model.predict(
            trainee,
            images,
            compute=setting.compute,
            workers=model.loader_workers(trainee.blueprint.recipe.loader_workers, ranks=1),
            on_progress=model.ProgressLines(say),
        )
        for line in images.report():
            say(line)
        return data_loader.prediction_table(images.names, prediction.y_pred)

    return Hooks(save, load, infer)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script; returns its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    args = parse_arguments(given)
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
    if args.mode == "train":
        train(args, given, desk)
    else:
        table = hooks.infer(str(dataset_folder(args) / "test"))
        table.to_csv(args.prediction, index=False)
        say(f"Wrote {len(table)} predictions to {args.prediction}")
    return 0


def train(args: argparse.Namespace, given: Sequence[str], desk: Desk) -> None:
    """Train the trainee on the desk, or a new one, on as many ranks as there are workers."""
    recipe = chosen_recipe(args)
    images = data_loader.read_train(dataset_folder(args))
    if model.is_child():
        model.train_as_child(images)
        return
    if desk.found is None:
        say(f"Recipe {recipe.name}: {model.changes(model.Recipe(), recipe)}")
        desk.found = model.start_trainee(
            recipe, images, data_loader.CLASS_NAMES, weights=args.weights
        )
    else:
        continue_training(desk.found, recipe)
    workers = int(os.environ.get(ENV_WORKERS) or max(1, torch.cuda.device_count()))
    launch = model.Launch(
        workers,
        [sys.executable, str(Path(__file__).resolve()), *given],
        lambda rank: {ENV_RANK: str(rank)},
    )
    model.train(
        desk.found,
        images,
        launch=launch,
        listener=model.Listener(
            lambda result: keep_epoch(result, desk.trainee, args.checkpoints),
            model.ProgressLines(say),
        ),
        on_start=lambda setting: say(f"Training on {len(images)} pictures: {workers} x {setting}"),
    )
    for line in images.report():
        say(line)
    best = desk.found.progress.best
    if best is not None:
        say(f"Best: epoch {best.epoch}, validation gmean-F1 {best.gmean_f1:.4f}")


def continue_training(trainee: model.Trainee, asked: model.Recipe) -> None:
    """Tell where a loaded trainee goes on, and that its own recipe holds."""
    own = trainee.blueprint.recipe
    say(f"Continuing {own.name} after epoch {trainee.progress.epoch} of {own.epochs}")
    if asked != own:
        say(f"Note: the checkpoint's recipe holds; ignored: {model.changes(own, asked)}")


def keep_epoch(result: model.EpochResult, trainee: model.Trainee, checkpoints: Path | None) -> None:
    """Report one epoch and save the trainee; the newest checkpoint is the one to continue from."""
    epochs = trainee.blueprint.recipe.epochs
    scores = " ".join(f"{score:.3f}" for score in result.class_f1)
    say(
        f"epoch {result.epoch}/{epochs}: train loss {result.train_loss:.4f}, "
        f"valid loss {result.valid_loss:.4f}, gmean-F1 {result.gmean_f1:.4f} ({scores}), "
        f"lr {result.learning_rate:.2e}, {result.images_per_second:.0f} images/s"
        f"{f', {result.skipped} skipped' if result.skipped else ''}"
        f"{' *' if result.is_best else ''}"
    )
    class_f1: dict[str, Any] = {
        f"valid__f1_{number}": score for number, score in enumerate(result.class_f1)
    }
    nsml.report(
        summary=True,
        step=result.step,
        epoch=result.epoch,
        epoch_total=epochs,
        train__loss=result.train_loss,
        valid__loss=result.valid_loss,
        valid__gmean_f1=result.gmean_f1,
        lr=result.learning_rate,
        images_per_second=result.images_per_second,
        skipped=result.skipped,
        **class_f1,
    )
    if result.is_best:
        keep("best", trainee.save_network, checkpoints)
    keep("last", trainee.save, checkpoints)


def keep(name: str, save: Callable[[Path], None], checkpoints: Path | None) -> None:
    """Save a checkpoint on the platform and, if a folder is given, there."""
    nsml.save(name, save_fn=lambda dir_path, **_: save(Path(dir_path)))
    if checkpoints is not None:
        model.publish_checkpoint(checkpoints / name, save)


def dry_run(args: argparse.Namespace, desk: Desk, hooks: Hooks) -> int:
    """Rehearse a submission on a tiny slice; the exit code is 1 if a step failed."""

    def keep(trainee: model.Trainee) -> None:
        desk.found = trainee

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


def chosen_recipe(args: argparse.Namespace) -> model.Recipe:
    """The recipe the command line asks for; without a name, one that suits the machine."""
    name = args.recipe or ("effnet_b1" if torch.cuda.is_available() else "smoke")
    seed = [] if args.seed is None else [f"seed={args.seed}"]
    return model.override(model.find_recipe(name), [*args.set, *seed])


def given_dataset(args: argparse.Namespace) -> Path | None:
    """Folder of the dataset, if there is one; of several, the first."""
    found = args.data or nsml.DATASET_PATH
    if isinstance(found, list):
        found = found[0]
    return Path(found) if found else None


def dataset_folder(args: argparse.Namespace) -> Path:
    """Folder of the dataset.

    Raises:
        DataError: If nobody said where it is.
    """
    found = given_dataset(args)
    if found is None:
        raise data_loader.DataError(
            "No dataset was given.",
            "On the platform it comes from `nsml run -d NAME`; elsewhere you say where it is.",
            "Add --data FOLDER, the folder that holds train/ and test/.",
        )
    return found


def say(line: str) -> None:
    """Print a line at once; logs are read while they are written."""
    print(line, flush=True)


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; --mode, --pause and --iteration are the platform's."""
    summary = str(__doc__).splitlines()[0]
    parser = argparse.ArgumentParser(prog="main.py", description=summary, allow_abbrev=False)
    parser.add_argument("--mode", default="train", choices=("train", "test", "infer"))
    parser.add_argument("--pause", type=int, default=0, help="1: wait for the platform")
    parser.add_argument("--iteration", default="0", help="checkpoint of a fork (unused here)")
    parser.add_argument("--recipe", help=f"one of {', '.join(model.RECIPES)}")
    parser.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="change the recipe"
    )
    parser.add_argument("--seed", type=int, help="same as --set seed=N")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="pretrained backbone")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="holds train/ and test/")
    parser.add_argument("--load", type=Path, metavar="FOLDER", help="checkpoint to continue from")
    parser.add_argument(
        "--checkpoints",
        type=Path,
        metavar="FOLDER",
        default=None if nsml.IS_ON_NSML else Path("checkpoints"),
        help="where checkpoints go outside the platform (default: checkpoints)",
    )
    parser.add_argument(
        "--prediction", type=Path, default=Path("prediction.csv"), metavar="FILE", help="of infer"
    )
    parser.add_argument("--dry-run", action="store_true", help="try a submission in seconds")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
