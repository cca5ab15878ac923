"""The words after `python -m data_loader`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from model.devices import usable_cores


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; without a command, print what there is and leave with status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m data_loader", description="Look at a dataset of the review-image task."
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _add_eda(commands.add_parser("eda", help="tell and draw what is in the training set"))
    parsed = parser.parse_args(arguments)
    if not parsed.command:
        parser.print_help()
        sys.exit(2)
    return parsed


def _add_eda(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Count classes, sizes and categories, find unreadable files, near-duplicates and suspected "
        "labels; write index.html, contact sheets (PNG) and corrections.csv. Fill in its answers "
        "(a class, drop, or nothing) and give it to main.py --labels, or to this command again."
    )
    parser.add_argument("dataset", type=Path, help="folder with train/train_data and train_label")
    parser.add_argument(
        "--out", type=Path, default=Path("eda"), metavar="FOLDER", help="default: %(default)s"
    )
    parser.add_argument(
        "--oof",
        type=Path,
        metavar="FILE",
        help="held-out predictions: the out_of_fold.csv of a training, or an npz archive with "
        "image_name and pred_probs; without it, labels are judged by copies and categories",
    )
    parser.add_argument(
        "--labels", type=Path, metavar="FILE", help="corrected labels that hold instead"
    )
    parser.add_argument(
        "--workers",
        type=_threads,
        default=usable_cores(),
        metavar="N",
        help="decoding threads (default: as many as there are cores, %(default)s)",
    )


def _threads(text: str) -> int:
    """A number of threads, at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of threads from 1")
    return int(text)
