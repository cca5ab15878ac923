"""Our rule for wrong labels against cleanlab and fixed thresholds, on real human noise.

    python -m benchmarks.noise [--data FOLDER] [--quick]

Every rule gets the same labels and out-of-fold probabilities, none a noise rate or a setting for
the file. True labels are looked at only by the score. Ends by
`noise: FIGURE mean-F1 (peer FIGURE, ratio R)`: the mean over the files of our rule and of the best
peer, and how the two compare.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import mean, median

import numpy as np
from numpy.typing import NDArray

from model.noise import FILTER_BY, find_label_issues, label_quality, rank_labels

Mask = NDArray[np.bool_]
Rule = Callable[[NDArray[np.int64], NDArray[np.floating]], Mask]
Issues = Callable[..., Mask]
"""cleanlab's `find_label_issues`."""

SUBJECT = "Our rule for wrong labels against cleanlab and fixed thresholds."
STRONG, WEAK = "predprobs_cifar10n_dev.npz", "oof_smallcnn_dev.npz"
"""Archives: three large pretrained networks; one small network trained from nothing."""
BACKBONES = ("effb1", "r18", "swin")
WEAK_SETS = ("imb5_aggre", "imb5m_aggre", "bal10_random1", "fashion5")
COMPETITION_SHAPED = ("imb5_aggre", "imb5m_aggre")
OURS = "find_label_issues"
REPEATS = 5
TIMED, LARGE = (171_500, 5), (1_000_000, 100)
"""Examples and classes of the timed input, and of the one whose memory is measured."""


@dataclass(frozen=True, eq=False)
class NoisyFile:
    """Labels, probabilities, and the truth that only the score sees."""

    name: str
    labels: NDArray[np.int64]
    pred_probs: NDArray[np.floating]
    truth: NDArray[np.int64]

    @property
    def wrong(self) -> Mask:
        """Where the label is wrong, bool [N]."""
        return self.labels != self.truth


def load_files(folder: Path) -> Iterator[NoisyFile]:
    """Every probability array of the archives, and the mean of the three large networks."""
    with np.load(folder / STRONG) as archive:
        truth = archive["clean"].astype(np.int64)
        for noise in ("aggre", "worst"):
            labels = archive[f"given_{noise}"].astype(np.int64)
            members = [archive[f"{noise}_{backbone}"] for backbone in BACKBONES]
            for backbone, probs in zip(BACKBONES, members, strict=True):
                yield NoisyFile(f"{noise}_{backbone}", labels, probs, truth)
            yield NoisyFile(f"{noise}_mean3", labels, np.mean(members, axis=0), truth)
    with np.load(folder / WEAK) as archive:
        for name in WEAK_SETS:
            yield NoisyFile(
                name,
                archive[f"{name}_given"].astype(np.int64),
                archive[f"{name}_pred_probs"],
                archive[f"{name}_clean"].astype(np.int64),
            )


def load_cleanlab() -> Issues | None:
    """The peer, or nothing where it is not installed."""
    try:
        return import_module("cleanlab.filter").find_label_issues
    except ImportError:
        return None


def peer_rules(cleanlab: Issues) -> dict[str, Rule]:
    """What others would do without a noise rate; "prune_by_noise_rate" is cleanlab's default."""
    rules: dict[str, Rule] = {name: _cleanlab_rule(cleanlab, name) for name in FILTER_BY}
    for margin in (0.1, 0.2, 0.3):
        rules[f"margin < -{margin}"] = _below("normalized_margin", (1 - margin) / 2)
    for confidence in (0.2, 0.3):
        rules[f"self-confidence < {confidence}"] = _below("self_confidence", confidence)
    return rules


def _cleanlab_rule(cleanlab: Issues, filter_by: str) -> Rule:
    return lambda labels, probs: cleanlab(labels, probs, filter_by=filter_by, n_jobs=1)


def _below(score: str, threshold: float) -> Rule:
    return lambda labels, probs: rank_labels(labels, probs, score=score) < threshold


def f1_score(flagged: Mask, wrong: Mask) -> float:
    """F1 of "flagged" against "wrong", 0..1."""
    return 2 * float((flagged & wrong).sum()) / max(1, int(flagged.sum() + wrong.sum()))


def auroc(scores: NDArray[np.floating], wrong: Mask) -> float:
    """Share of pairs in which the wrong label scores lower; ties count half."""
    _, places, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(sizes) - (sizes - 1) / 2)[places]
    right_ranks = ranks[~wrong].sum()
    rights, wrongs = int((~wrong).sum()), int(wrong.sum())
    return float((right_ranks - rights * (rights + 1) / 2) / (rights * wrongs))


def print_f1(files: list[NoisyFile], rules: Mapping[str, Rule]) -> dict[str, float]:
    """Print F1 of each rule (rows) on each file (columns).

    Returns:
        Mean over the files for each rule.
    """
    table = {
        name: [f1_score(rule(file.labels, file.pred_probs), file.wrong) for file in files]
        for name, rule in rules.items()
    }
    print("F1 of the flagged labels")
    print(_row("", [*(file.name for file in files), "mean"]))
    print(_row("noise", [f"{file.wrong.mean():.3f}" for file in files]))
    for name, scores in table.items():
        print(_row(name, [f"{score:.3f}" for score in (*scores, mean(scores))]))
    peers = [scores for name, scores in table.items() if name != OURS]
    ahead = [mine - max(others) for mine, *others in zip(table[OURS], *peers, strict=True)]
    print(_row("ours - best peer", [f"{gap:+.3f}" for gap in (*ahead, mean(ahead))]))
    return {name: mean(scores) for name, scores in table.items()}


def print_auroc(files: list[NoisyFile]) -> None:
    """Print how well the scores rank, whatever the threshold."""
    print("\nAUROC of the scores")
    print(_row("", [file.name for file in files]))
    for score in ("self_confidence", "normalized_margin"):
        print(_row(score, [_ranking(file, score) for file in files]))
    ours = [auroc(label_quality(file.labels, file.pred_probs), file.wrong) for file in files]
    print(_row("label_quality", [f"{score:.4f}" for score in ours]))


def _ranking(file: NoisyFile, score: str) -> str:
    return f"{auroc(rank_labels(file.labels, file.pred_probs, score=score), file.wrong):.4f}"


def print_drops(files: list[NoisyFile]) -> None:
    """Print what our rule drops of each class where classes are as unequal as in competition."""
    for file in files:
        if file.name not in COMPETITION_SHAPED:
            continue
        classes = file.pred_probs.shape[1]
        flagged = find_label_issues(file.labels, file.pred_probs)
        dropped = np.bincount(file.labels[flagged], minlength=classes)
        wrong = np.bincount(file.labels[file.wrong], minlength=classes)
        print(f"\nLabels of each class, {file.name}")
        print(_row("given", np.bincount(file.labels, minlength=classes).tolist()))
        print(_row("wrong", wrong.tolist()))
        print(_row("flagged", dropped.tolist()))
        print(_row("flagged / wrong", [f"{share:.2f}" for share in dropped / wrong]))


def _row(name: str, cells: list[str] | list[int]) -> str:
    return f"{name:22}" + "".join(f"{cell!s:>14}" for cell in cells)


def synthesise(examples: int, classes: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Labels with 10 % noise and the probabilities of a fair model, for measuring cost."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, classes, examples)
    labels = np.where(rng.random(examples) < 0.1, rng.integers(0, classes, examples), truth)
    probs = rng.standard_normal((examples, classes), dtype=np.float32)
    probs[np.arange(examples), truth] += 3
    np.exp(probs, out=probs)
    probs /= probs.sum(axis=1, keepdims=True)
    return labels, probs


def print_time(cleanlab: Issues) -> None:
    """Print our time and that of cleanlab's default, run in turns; median of the repeats."""
    labels, probs = synthesise(*TIMED)
    seconds: dict[str, list[float]] = {"ours": [], "cleanlab": [], "cleanlab, one job": []}
    for _ in range(REPEATS):
        for name, run in (
            ("ours", lambda: find_label_issues(labels, probs)),
            ("cleanlab", lambda: cleanlab(labels, probs)),
            ("cleanlab, one job", lambda: cleanlab(labels, probs, n_jobs=1)),
        ):
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    medians = {name: median(times) for name, times in seconds.items()}
    shown = ", ".join(f"{name} {value:.3f} s" for name, value in medians.items())
    ratio = medians["ours"] / medians["cleanlab"]
    print(f"\nTime, {TIMED[0]} examples of {TIMED[1]} classes: {shown}; ratio {ratio:.2f}")


def _measure_large(connection: Connection) -> None:
    labels, probs = synthesise(*LARGE)
    start = time.perf_counter()
    find_label_issues(labels, probs)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    connection.send((time.perf_counter() - start, peak))


def print_memory() -> None:
    """Print the peak memory of a large input, measured in a process of its own."""
    # A forked process would count our own memory too.
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_measure_large, args=(there,))
    process.start()
    there.close()
    seconds, peak = here.recv()
    process.join()
    print(
        f"Memory, {LARGE[0]} examples of {LARGE[1]} classes: peak {peak:.2f} GiB in all, "
        f"{seconds:.1f} s"
    )


def main() -> int:
    """Print the tables.

    Returns:
        Exit status.
    """
    parser = argparse.ArgumentParser(prog="benchmarks.noise", description=SUBJECT)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), metavar="FOLDER")
    parser.add_argument("--quick", action="store_true", help="leave out time and memory")
    options = parser.parse_args()
    missing = [name for name in (STRONG, WEAK) if not (options.data / name).is_file()]
    if missing:
        print(f"noise: skipped, {options.data} lacks {' and '.join(missing)}; see --data.")
        return 0
    cleanlab = load_cleanlab()
    if cleanlab is None:
        print("noise: skipped, cleanlab is missing; it stands in benchmarks/requirements.txt.")
        return 0
    files = list(load_files(options.data))
    means = print_f1(files, {OURS: find_label_issues, **peer_rules(cleanlab)})
    print_auroc(files)
    print_drops(files)
    if not options.quick:
        print_time(cleanlab)
        print_memory()
    peer = max(score for name, score in means.items() if name != OURS)
    ratio = means[OURS] / peer
    print(f"noise: {means[OURS]:.4f} mean-F1 (peer {peer:.4f}, ratio {ratio:.2f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
