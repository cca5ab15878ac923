"""What a training tells the platform: one line and one report per epoch, checkpoints, a table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import data_loader
import model
import nsml


def say(line: str) -> None:
    """Print a line at once; logs are read while they are written."""
    print(line, flush=True)


def report_epoch(result: model.EpochResult, *, epochs: int, step: int, name: str = "") -> None:
    """Print and report one epoch.

    Args:
        result: What it brought.
        epochs: Epochs of this training.
        step: Step to report it under; grows over all trainings of a session.
        name: Which training it was, where there are several.
    """
    scores = " ".join(f"{score:.3f}" for score in result.class_f1)
    say(
        f"{name + ': ' if name else ''}epoch {result.epoch}/{epochs}: "
        f"train loss {result.train_loss:.4f}, "
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
        step=step,
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


def report_outcome(outcome: model.Outcome, class_names: tuple[str, ...], *, step: int) -> None:
    """Print and report what all trainings of a recipe led to: one row each, then the whole."""
    width = max(len(row.name) for row in outcome.rows)
    say(f"{'training':<{width}}  epoch  valid gmean-F1  weight")
    for row in outcome.rows:
        say(f"{row.name:<{width}}  {row.epoch:5d}  {row.gmean_f1:14.4f}  {row.weight:6.3f}")
    ensemble = outcome.ensemble
    say(
        f"Held-out predictions, blended: gmean-F1 {outcome.decision.argmax_f1:.4f}, with the "
        f"decision rule {outcome.decision.decided_f1:.4f} (by learned labels, cross-fitted)"
    )
    if any(ensemble.offsets):
        offsets = ", ".join(
            f"{name} {offset:+.2f}"
            for name, offset in zip(class_names, ensemble.offsets, strict=True)
        )
        say(f"Class offsets: {offsets}")
    say(f"Prediction costs {len(ensemble.members)} networks per picture")
    values: dict[str, Any] = {
        "ensemble__members": len(ensemble.members),
        "ensemble__valid_gmean_f1": outcome.decision.argmax_f1,
        "ensemble__decided_gmean_f1": outcome.decision.decided_f1,
    }
    if outcome.record is not None:
        values["filter__dropped"] = int(outcome.record.dropped.sum())
        values["filter__relabelled"] = int(outcome.record.relabelled.sum())
        for number in range(len(class_names)):
            members = outcome.record.given == number
            values[f"filter__dropped_{number}"] = int((outcome.record.dropped & members).sum())
    nsml.report(summary=True, step=step, **values)


def report_trial(result: model.TrialResult, start: model.Recipe) -> None:
    """Print and report one trial of a search."""
    say(model.describe(result, start))
    nsml.report(step=result.number, tune__gmean_f1=result.gmean_f1, tune__epochs=result.epochs)


def keep(name: str, save: Callable[[Path], None], checkpoints: Path | None) -> None:
    """Save a checkpoint on the platform and, if a folder is given, there."""
    nsml.save(name, save_fn=lambda dir_path, **_: save(Path(dir_path)))
    if checkpoints is not None:
        model.publish_checkpoint(checkpoints / name, save)


def save_outcome(outcome: model.Outcome, images: data_loader.ReviewImages, folder: Path) -> None:
    """Write the ensemble, and beside it the tables that people and later sessions read."""
    outcome.ensemble.save(folder)
    outcome.out_of_fold.save(folder)
    data_loader.write_out_of_fold(folder / "out_of_fold.csv", images, outcome.out_of_fold)
    if outcome.record is not None:
        data_loader.write_corrections(folder / "corrections.csv", images, outcome.record)


def keep_later(
    writer: model.BackgroundWriter, name: str, save: Callable[[Path], None], folder: Path | None
) -> None:
    """Same as `keep`, but in the background; `save` must be a snapshot."""
    writer.write(lambda: keep(name, save, folder))
