"""The ladder: every recipe from the organisers' baseline up, trained and submitted on the platform.

    python -m benchmarks.ladder [--scale cpu|gpu|full] [--seeds 3] [--work FOLDER]

Each rung is a session of the real platform on the generated dataset, scored on its clean test side
by `nsml submit`. Finished rungs are kept in FOLDER/results.jsonl, so an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, stdev

from benchmarks.ladder_scales import SCALES, Scale
from model.recipes import LADDER

ROOT = Path(__file__).resolve().parents[1]
GENERATOR = ROOT / "datasets" / "review_img" / "generate.py"
POLL = 2.0
"""Seconds between two looks at a session."""

WINNERS: Mapping[str, float | None] = {
    "baseline_resnet50": 0.549,
    "effnet_b1_balanced": 0.755,
    "rrc_smooth_cutmix": 0.81,
    "metadata": 0.84,
    "self_filtered": 0.857,
    "plain_sampler_low_lr": 0.873,
    "winners_ensemble": 0.882,
    "final": None,
}
"""What the winners reported for each rung on the real pictures; none for ours."""


class LadderError(Exception):
    """A rung could not be measured; the message says why."""


@dataclass(frozen=True)
class Rung:
    """One measured training."""

    recipe: str
    seed: int
    score: float
    """gmean-F1 on the clean test side, as the board has it."""
    minutes: float
    """Wall time of the session."""
    session: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is missing, print the table; returns the exit code."""
    options = parser().parse_args(arguments)
    scale = SCALES[options.scale]
    work = Path(options.work).resolve() / options.scale
    work.mkdir(parents=True, exist_ok=True)
    try:
        platform = Platform(work / "home", options.dataset_seed)
        platform.push(scale, work / "data")
        wanted = [
            (name, seed) for seed in range(options.seeds) for name in chosen(options.recipes, scale)
        ]
        measure(platform, scale, wanted, work / "results.jsonl")
    except LadderError as error:
        print(f"ladder: {error}", file=sys.stderr)
        return 1
    rungs = [rung for rung in read_results(work / "results.jsonl") if rung.seed < options.seeds]
    print_table(rungs, scale)
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="benchmarks.ladder", description=str(__doc__).splitlines()[0]
    )
    result.add_argument("--scale", choices=tuple(SCALES), default="cpu")
    result.add_argument("--seeds", type=int, default=3, help="seeds 0 .. N-1 (default 3)")
    result.add_argument("--dataset-seed", type=int, default=0, help="of the generated pictures")
    result.add_argument("--recipes", help="only these rungs and controls, separated by commas")
    result.add_argument("--work", default="build/ladder", help="data, platform home and results")
    return result


def chosen(names: str | None, scale: Scale) -> list[str]:
    """Names of the rungs to measure, in the order of the ladder, and of the scale's controls.

    Raises:
        LadderError: If there is no such rung.
    """
    known = [*(recipe.__name__ for recipe in LADDER), *scale.controls]
    asked = known if names is None else names.split(",")
    for name in asked:
        if name not in known:
            raise LadderError(f"there is no rung {name!r}. Known: {', '.join(known)}.")
    return [name for name in known if name in asked]


@dataclass(frozen=True)
class Platform:
    """The platform under a home of its own."""

    home: Path
    dataset_seed: int

    DATASET = "ladder"

    def push(self, scale: Scale, folder: Path) -> None:
        """Draw the dataset unless it is there, and register it."""
        if not (folder / "dataset.toml").is_file():
            command = [sys.executable, str(GENERATOR), str(folder), *scale.generate]
            subprocess.run([*command, "--seed", str(self.dataset_seed)], check=True)
        self.nsml("dataset", "push", self.DATASET, str(folder))

    def nsml(self, *words: str) -> str:
        """Standard output of an `nsml` command.

        Raises:
            LadderError: If it fails.
        """
        environment = {**os.environ, "NSML_HOME": str(self.home)}
        done = subprocess.run(
            [sys.executable, "-m", "nsml_shim", *words],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            told = (done.stderr or done.stdout).strip()
            raise LadderError(f"`nsml {shlex.join(words)}` failed: {told}")
        return done.stdout

    def climb(self, recipe: str, seed: int, scale: Scale) -> Rung:
        """Train and submit one rung.

        Raises:
            LadderError: If the session fails.
        """
        script_args = shlex.join(
            [
                *("--recipe", scale.recipe_of(recipe), "--seed", str(seed)),
                *scale.overrides_of(recipe),
            ]
        )
        memo = f"{recipe} seed {seed}"
        started = self.nsml(
            *("run", "-d", self.DATASET, "-g", "1", *scale.resources, "-m", memo, "-a", script_args)
        )
        words = next(line for line in started.splitlines() if " is started" in line).split()
        session = words[words.index("Session") + 1]
        state = self.wait(session)
        if state["exit_code"]:
            raise LadderError(
                f"{session} ({memo}) ended: {state['cause']}. "
                f"See NSML_HOME={self.home} nsml logs {session}"
            )
        told = self.nsml("submit", session, "best").splitlines()
        score = next(float(line.split()[1]) for line in told if line.startswith("Score:"))
        minutes = (state["ended_at"] - state["started_at"]) / 60
        return Rung(recipe, seed, score, minutes, session)

    def wait(self, session: str) -> dict[str, float]:
        """State of a session once it has ended."""
        while True:
            rows = json.loads(self.nsml("ps", "-a", "-j"))
            state = next(row for row in rows if row["name"] == session)
            if state["status"] == "Exited":
                return state
            time.sleep(POLL)


def measure(
    platform: Platform, scale: Scale, wanted: Sequence[tuple[str, int]], results: Path
) -> None:
    """Climb the rungs that `results` lacks, so many at once as the scale allows."""
    have = {(rung.recipe, rung.seed) for rung in read_results(results)}
    missing = [rung for rung in wanted if rung not in have]
    with ThreadPoolExecutor(scale.at_once) as threads:
        tasks = [threads.submit(platform.climb, recipe, seed, scale) for recipe, seed in missing]
        try:
            for task in tasks:
                rung = task.result()
                with results.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(rung)) + "\n")
                told = f"{rung.recipe} seed {rung.seed}: {rung.score:.4f}"
                print(f"{told} in {rung.minutes:.1f} min ({rung.session})", flush=True)
        finally:
            threads.shutdown(cancel_futures=True)


def read_results(results: Path) -> list[Rung]:
    """The rungs measured so far; the newest measurement of each counts."""
    if not results.exists():
        return []
    lines = results.read_text(encoding="utf-8").splitlines()
    rungs = [Rung(**json.loads(line)) for line in lines]
    return list({(rung.recipe, rung.seed): rung for rung in rungs}.values())


def print_table(rungs: Sequence[Rung], scale: Scale) -> None:
    """Print the ladder as a Markdown table, and the last line that all benchmarks share."""
    print(
        f"\nGenerated dataset, {' '.join(scale.generate)}; clean test side; mean ± std over seeds\n"
    )
    print("| Rung | gmean-F1 | Gain | Minutes | Winners |")
    print("|---|---|---|---|---|")
    measured = {rung.recipe for rung in rungs}
    means = {name: mean_score(rungs, name) for name in WINNERS if name in measured}
    before = None
    for name, score in means.items():
        gain = "" if before is None else f"{score - before:+.3f}"
        print(_line(rungs, name, gain, WINNERS[name]))
        before = score
    if means:
        top, first = list(means.values())[-1], next(iter(means.values()))
        for name in [name for name in scale.controls if name in measured]:
            behind = f"top {top - mean_score(rungs, name):+.3f}"
            print(_line(rungs, name, f"control: {behind}", None))
        ratio = f"{top / first:.2f}" if first else "infinite"
        print(f"\nladder: {top:.3f} gmean-F1 (peer {first:.3f}, ratio {ratio})")


def mean_score(rungs: Sequence[Rung], name: str) -> float:
    """Mean over the seeds of a rung or control."""
    return mean(rung.score for rung in rungs if rung.recipe == name)


def _line(rungs: Sequence[Rung], name: str, gain: str, theirs: float | None) -> str:
    scores = [rung.score for rung in rungs if rung.recipe == name]
    spread = f" ± {stdev(scores):.3f}" if len(scores) > 1 else ""
    minutes = mean(rung.minutes for rung in rungs if rung.recipe == name)
    told = "" if theirs is None else f"{theirs}"
    return f"| `{name}` | {mean(scores):.3f}{spread} | {gain} | {minutes:.1f} | {told} |"


if __name__ == "__main__":
    sys.exit(main())
