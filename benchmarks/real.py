"""Our recipe, the winners' and cleanlab on real noisy labels, with one small network.

    python -m benchmarks.real --data FOLDER [--sets ...] [--seeds 3] [--rows FILE] [--keep FOLDER]

Every arm trains the same network for as many epochs on the same folds, and predicts the test set
with the mean of the folds' networks. True labels are looked at only by the score, and by the
optional arm "clean". Finished rows are kept in FILE and finished trainings in FOLDER, so that an
interrupted run goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean, stdev

import torch

from benchmarks.real_arms import (
    ARMS,
    BASELINE,
    CLEAN,
    CLEANLAB,
    COMPARED,
    OURS,
    SCALES,
    Remembering,
    without_issues,
)
from benchmarks.real_data import SETS, RealSet, load_set
from model.campaign import Campaign
from model.config import Recipe
from model.devices import Compute, choose_compute, choose_device, prepare_device
from model.ensemble import predict_ensemble
from model.job import Material
from model.metrics import geometric_mean
from model.pipeline import Outcome, make_material, run_recipe
from model.runner import CampaignListener, CampaignRunner
from model.trainee import EpochResult, Trainee

ANCHORS = {"fashion5_dev": 0.781, "imb5_aggre": 0.41, "imb5m_aggre": 0.527, "bal10_random1": 0.669}
"""What a small network reached on clean labels; on imb5_aggre with the best prior correction, on
bal10_random1 half-way from noisy to clean labels."""


@dataclass(frozen=True)
class Row:
    """One arm on one set with one seed."""

    scale: str
    real_set: str
    arm: str
    seed: int
    gmean_f1: float
    """On the test set, by true labels, 0..1."""
    class_f1: tuple[float, ...]
    out_of_fold_f1: float
    """gmean-F1 of the held-out training pictures by the labels that were learned, 0..1: what the
    arm itself can know of its quality."""
    changed: int
    """Labels that a filter dropped or changed."""
    seconds: float
    """Processor time of all trainings that the arm rests on, also of those it shares."""

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What the row is about."""
        return self.scale, self.real_set, self.arm, self.seed


@dataclass(frozen=True, eq=False)
class Cell:
    """One set with one seed: what the arms share."""

    real_set: RealSet
    base: Recipe
    device: torch.device
    train: Remembering

    def run(self, arm: str) -> tuple[Outcome, int]:
        """What an arm leads to, and how many labels it dropped or changed."""
        recipe, material = ARMS[arm](self.base), self.material()
        if arm == CLEANLAB:
            table = self.run(BASELINE)[0].out_of_fold
            material = replace(material, labels=without_issues(table))
        if arm == CLEAN:
            material = replace(material, labels=self.real_set.train_truth)
        outcome = run_recipe(
            recipe,
            material=material,
            class_names=self.real_set.class_names,
            train=self.train,
            say=lambda _: None,
        )
        learned = material.labels if outcome.record is None else outcome.record.labels
        return outcome, int((learned != self.real_set.train.labels).sum())

    def material(self) -> Material:
        """Given labels in folds; products that belong together stay together."""
        pictures = self.real_set.train
        return make_material(
            self.base,
            labels=pictures.labels,
            categories=list(pictures.categories),
            groups=pictures.groups,
            class_names=self.real_set.class_names,
        )

    def measure(self, arm: str, scale: str) -> Row:
        """Train an arm and score it on the test set."""
        begin = self.train.seconds
        outcome, changed = self.run(arm)

        def compute_of(trainee: Trainee) -> Compute:
            recipe = trainee.blueprint.recipe
            return choose_compute(recipe.precision, trainee.network, self.device)

        predicted = predict_ensemble(
            outcome.ensemble, self.real_set.test, compute_of=compute_of, workers=0
        )
        scores = self.real_set.score(predicted.y_pred)
        return Row(
            scale,
            self.real_set.name,
            arm,
            self.base.seed,
            geometric_mean(scores),
            tuple(float(score) for score in scores),
            outcome.decision.decided_f1,
            changed,
            self.train.seconds - begin,
        )


def open_cell(
    real_set: RealSet, base: Recipe, device: torch.device, keep: Path | None = None
) -> Cell:
    """A cell whose arms share their trainings, which are kept in a folder if one is given."""

    def silent(name: str, result: EpochResult) -> None:
        """Nobody watches single epochs here."""

    runner = CampaignRunner(
        Campaign(base, real_set.class_names), real_set.train, device, CampaignListener(silent)
    )
    folder = None if keep is None else keep / real_set.name
    return Cell(real_set, base, device, Remembering(runner.train, folder))


def measured(options: argparse.Namespace, known: Sequence[Row]) -> Iterator[Row]:
    """All rows that are asked for, seed by seed, so that an early end leaves whole seeds."""
    device = choose_device()
    prepare_device(device, ranks=1)
    done = {row.key: row for row in known}
    for seed in range(options.seeds):
        for name in options.sets:
            keys = {arm: (options.scale, name, arm, seed) for arm in options.arms}
            yield from (done[key] for key in keys.values() if key in done)
            missing = [arm for arm, key in keys.items() if key not in done]
            if missing:
                real_set = load_set(name, options.data)
                has_categories = any(real_set.train.categories)
                base = SCALES[options.scale].recipe(seed=seed, has_categories=has_categories)
                cell = open_cell(real_set, base, device, options.keep)
                yield from (cell.measure(arm, options.scale) for arm in missing)


def table(rows: Sequence[Row]) -> list[str]:
    """Markdown: a line per set and arm, means and deviations over the seeds."""
    lines = [
        "| set | arm | gmean-F1 | seeds | labels changed | CPU s per seed |",
        "|---|---|---|---|---|---|",
    ]
    for name, arm in dict.fromkeys((row.real_set, row.arm) for row in rows):
        mine = [row for row in rows if (row.real_set, row.arm) == (name, arm)]
        scores = [row.gmean_f1 for row in mine]
        spread = f" ± {stdev(scores):.3f}" if len(scores) > 1 else ""
        changed, seconds = mean(row.changed for row in mine), mean(row.seconds for row in mine)
        lines.append(
            f"| {name} | {arm} | {mean(scores):.3f}{spread} | {len(mine)} | {changed:.0f} "
            f"| {seconds:.0f} |"
        )
    return lines


def verdicts(rows: Sequence[Row]) -> list[str]:
    """For each set: does ours reach the anchor, and beat the peer?"""
    lines: list[str] = []
    for name in dict.fromkeys(row.real_set for row in rows):
        own, peer = mean_score(rows, name, OURS), mean_score(rows, name, CLEANLAB)
        if own is None or peer is None:
            continue
        anchor = ANCHORS[name]
        reached = "reaches" if own >= anchor else "misses"
        beats = "beats" if own > peer else "does not beat"
        lines.append(
            f"{name}: ours {own:.3f} {reached} the anchor {anchor:.3f} and {beats} cleanlab "
            f"({own - peer:+.3f})"
        )
    return lines


def mean_score(rows: Sequence[Row], real_set: str, arm: str) -> float | None:
    """Mean gmean-F1 over the seeds; None if the arm was not run on the set."""
    scores = [row.gmean_f1 for row in rows if (row.real_set, row.arm) == (real_set, arm)]
    return mean(scores) if scores else None


def last_line(rows: Sequence[Row]) -> str:
    """The one figure: ours and the peer, each the mean over the sets that have both."""
    names = dict.fromkeys(row.real_set for row in rows)
    pairs = [(mean_score(rows, name, OURS), mean_score(rows, name, CLEANLAB)) for name in names]
    both = [(own, peer) for own, peer in pairs if own is not None and peer is not None]
    if not both:
        return f"real: no figure; run the arms {OURS} and {CLEANLAB} on the same sets"
    own, peer = mean(pair[0] for pair in both), mean(pair[1] for pair in both)
    ratio = f"{own / peer:.2f}" if peer else "infinite"
    return f"real: {own:.4f} gmean-F1 (peer {peer:.4f}, ratio {ratio})"


def read_rows(path: Path | None) -> list[Row]:
    """Rows of an earlier run; none if there is no file."""
    if path is None or not path.exists():
        return []
    found: list[Row] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        found.append(Row(**{**entry, "class_f1": tuple(entry["class_f1"])}))
    return found


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.real", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the archives")
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(COMPARED))
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, ... (default 3)")
    parser.add_argument("--scale", choices=list(SCALES), default="cpu", help="size of the network")
    parser.add_argument("--rows", type=Path, help="JSON lines of finished rows, read and continued")
    parser.add_argument(
        "--keep", type=Path, help="folder of finished trainings, read and continued"
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Measure, print the table and the last line; 0 if there was anything to measure."""
    options = parse(arguments)
    present = [name for name in options.sets if (options.data / SETS[name][0]).is_file()]
    for name in options.sets:
        if name not in present:
            print(f"{name}: skipped, for {options.data / SETS[name][0]} is not there")
    if not present:
        return 0
    options.sets = present
    known = read_rows(options.rows)
    rows: list[Row] = []
    for row in measured(options, known):
        rows.append(row)
        print(f"{row.real_set} {row.arm} seed {row.seed}: {row.gmean_f1:.4f}", flush=True)
        if options.rows is not None and row not in known:
            with options.rows.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(row)) + "\n")
    print("\n".join(["", *table(rows), "", *verdicts(rows), last_line(rows)]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
