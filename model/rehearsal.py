"""A dry run: a tiny slice through train → save → load in a new process → infer → score.

It finds a broken submission in seconds, on any machine, without the platform.
"""

from __future__ import annotations

import csv
import subprocess
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from model.batch import ExampleSource
from model.campaign import Campaign
from model.config import Recipe
from model.ensemble import Ensemble
from model.errors import CheckpointError
from model.experiment import conduct, start_trainee, train
from model.metrics import class_f1, confusion_matrix, geometric_mean
from model.pipeline import needs_campaign
from model.progress import Clock
from model.ranks import Launch
from model.runner import CampaignListener
from model.trainee import EpochResult, Trainee
from model.training import Listener

BATCH_SIZE = 4
"""Examples per step of a dry run."""
PER_CLASS = 4
"""Pictures of each class on each side of the slice."""


@dataclass(frozen=True)
class Step:
    """One step of a dry run."""

    name: str
    run: Callable[[], str]
    """Does it, and returns what is worth telling about it."""


def rehearse(
    steps: Iterable[Step],
    say: Callable[[str], None],
    *,
    expected: tuple[type[Exception], ...] = (),
    clock: Clock = time.monotonic,
) -> bool:
    """Run steps until one fails.

    Args:
        steps: What to do, in order.
        say: Gets one line per step and a last one with the verdict.
        expected: Errors that explain themselves; all others are shown with their traceback.
        clock: Times the steps.

    Returns:
        Whether all steps passed.
    """
    for step in steps:
        begin = clock()
        try:
            told = step.run()
        # Whatever is wrong with the submission is exactly what a dry run has to show.
        except Exception as error:
            if not isinstance(error, expected):
                say(traceback.format_exc().rstrip())
            say(f"FAILED {step.name} after {clock() - begin:.1f} s: {error}")
            say(f"dry run failed at step {step.name!r}")
            return False
        say(f"ok     {step.name:<5} {clock() - begin:5.1f} s  {told}")
    say("dry run passed")
    return True


@dataclass(frozen=True)
class Rehearsal:
    """What a submission hands over to be rehearsed, and the folder in which that happens."""

    folder: Path
    """Empty; everything the dry run writes goes there."""
    recipe: Recipe
    class_names: tuple[str, ...]
    read_train: Callable[[Path], ExampleSource]
    """Reads the training side of a dataset folder."""
    slice_dataset: Callable[[Path, Path, int], None]
    """Makes a small dataset out of a large one: dataset, new folder, pictures per class."""
    keep: Callable[[Trainee | Ensemble], None]
    """Puts what was trained where `save` finds it."""
    save: Callable[[str], None]
    """The submission's hook: writes a checkpoint into a folder."""
    command: Sequence[str]
    """Command line that starts the submission anew."""

    def steps(self, dataset: Path | None, weights: Path | None) -> list[Step]:
        """The dry run; without a dataset it draws random pictures."""
        return [
            Step("data", lambda: self._take_slice(dataset)),
            Step("train", lambda: self._train(weights)),
            Step("save", self._save),
            Step("infer", self._infer),
            Step("score", self._score),
        ]

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _checkpoint(self) -> Path:
        return self.folder / "checkpoint"

    @property
    def _prediction(self) -> Path:
        return self.folder / "prediction"

    def _take_slice(self, dataset: Path | None) -> str:
        told = f"a slice of {dataset}"
        if dataset is None:
            dataset, told = self.folder / "drawn", "random pictures; --data FOLDER takes real ones"
            draw_dataset(dataset, num_classes=len(self.class_names), seed=self.recipe.seed)
        self.slice_dataset(dataset, self._data, PER_CLASS)
        return told

    def _train(self, weights: Path | None) -> str:
        recipe = shortened(self.recipe)
        images = self.read_train(self._data)
        results: list[EpochResult] = []
        launch = Launch(1, ())
        if needs_campaign(recipe):
            outcome = conduct(
                Campaign(recipe, self.class_names),
                images,
                launch=launch,
                listener=CampaignListener(lambda _name, result: results.append(result)),
                say=lambda _line: None,
                weights=weights,
            )
            self.keep(outcome.ensemble)
            trained = f", {len(results)} trainings, {len(outcome.ensemble.members)} networks"
        else:
            trainee = start_trainee(recipe, images, self.class_names, weights=weights)
            self.keep(trainee)
            listener = Listener(results.append)
            train(trainee, images, launch=launch, listener=listener, on_start=lambda _: None)
            trained = ""
        scratch = " from random weights" if self.recipe.pretrained and weights is None else ""
        steps = sum(result.step for result in results)
        return f"{steps} steps of {recipe.name}{scratch}{trained}"

    def _save(self) -> str:
        self._checkpoint.mkdir()
        self.save(str(self._checkpoint))
        sizes = [path.stat().st_size for path in self._checkpoint.rglob("*") if path.is_file()]
        if not sizes:
            raise CheckpointError("save() wrote nothing into the folder it was given.")
        return f"{len(sizes)} files, {sum(sizes) / 1e6:.1f} MB"

    def _infer(self) -> str:
        places = ["--load", self._checkpoint, "--data", self._data]
        command = [*self.command, "--mode", "infer", *places, "--prediction", self._prediction]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise CheckpointError(
                f"load and infer in a new process ended with exit code {done.returncode}:\n"
                f"{done.stderr.strip()}"
            )
        return "loaded and predicted in a new process"

    def _score(self) -> str:
        labels = self._data / "test" / "test_label"
        return f"gmean-F1 {score(self._prediction, labels, len(self.class_names)):.3f}"


def shortened(recipe: Recipe) -> Recipe:
    """The same recipe with one epoch of tiny batches, and no more than two folds."""
    folds = min(recipe.folds, 2)
    return replace(
        recipe,
        epochs=1,
        filter_epochs=min(recipe.filter_epochs, 1),
        filter_rounds=1,
        finetune_epochs=0,
        head_epochs=0,
        swa_epochs=0,
        batch_size=BATCH_SIZE,
        pretrained=False,
        folds=folds,
        folds_trained=min(recipe.folds_trained, folds),
        member_folds=min(recipe.member_folds, folds),
        # Four pictures of each class may well look alike.
        group_duplicates=False,
    )


def score(prediction: Path, labels: Path, num_classes: int) -> float:
    """Geometric mean of the per-class F1 of a prediction file.

    Raises:
        CheckpointError: If the two files do not name the same pictures, each once.
    """
    predicted = _read_column(prediction, "y_pred")
    given = _read_column(labels, "answer")
    if sorted(name for name, _ in predicted) != sorted(name for name, _ in given):
        raise CheckpointError(
            f"infer() predicted {len(predicted)} pictures; it must predict each of the "
            f"{len(given)} test pictures exactly once."
        )
    answers = dict(predicted)
    pairs = np.array([(label, answers[name]) for name, label in given], dtype=np.int64)
    confusion = confusion_matrix(pairs[:, 0], pairs[:, 1], num_classes)
    return geometric_mean(class_f1(confusion))


def draw_dataset(folder: Path, *, num_classes: int, seed: int) -> None:
    """Fill a folder with a labelled training side of random pictures, for want of real ones."""
    rng = np.random.Generator(np.random.PCG64(seed))
    pictures = folder / "train" / "train_data"
    pictures.mkdir(parents=True)
    header = ["image_name", "answer", "category_1", "category_2", "category_3", "category_4"]
    with (folder / "train" / "train_label").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(header)
        for number in range(num_classes * PER_CLASS * 2):
            label = number % num_classes
            sides = rng.integers(40, 160, size=2)
            pixels = rng.integers(0, 256, size=(*sides, 3), dtype=np.uint8)
            name = f"{number:04d}.jpg"
            Image.fromarray(pixels).save(pictures / name)
            table.writerow([name, label, *(f"category {label}.{level}" for level in range(4))])


def _read_column(path: Path, column: str) -> list[tuple[str, int]]:
    """Picture names and the classes in one column of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["image_name"], int(row[column])) for row in csv.DictReader(file)]
