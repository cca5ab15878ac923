"""Our recipe, the winners' and cleanlab on real noisy labels, with one small network.

    python -m benchmarks.real --data FOLDER [--sets ...] [--seeds 3] [--at-once 1] [--rows FILE]

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
from dataclasses import asdict
from pathlib import Path
from statistics import mean, stdev
from tempfile import TemporaryDirectory

from benchmarks.real_arms import ARMS, CLEANLAB, COMPARED, OURS, SCALES
from benchmarks.real_cells import Bench, Row, measure_all
from benchmarks.real_data import SETS

ANCHORS = {"fashion5_dev": 0.781, "imb5_aggre": 0.41, "imb5m_aggre": 0.527, "bal10_random1": 0.669}
"""What a small network reached on clean labels; on imb5_aggre with the best prior correction, on
bal10_random1 half-way from noisy to clean labels."""


def measured(options: argparse.Namespace, known: Sequence[Row]) -> Iterator[Row]:
    """All rows that are asked for, the known ones first."""
    keys = [
        (options.scale, name, arm, seed)
        for seed in range(options.seeds)
        for name in options.sets
        for arm in options.arms
    ]
    done = {row.key: row for row in known}
    yield from (done[key] for key in keys if key in done)
    missing = [key for key in keys if key not in done]
    with TemporaryDirectory() as spare:
        # Processes share their trainings through files.
        keep = options.keep or (Path(spare) if options.at_once > 1 else None)
        yield from measure_all(Bench(options.data, keep, options.at_once), missing)


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
    parser.add_argument("--at-once", type=int, default=1, help="processes (default 1)")
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
