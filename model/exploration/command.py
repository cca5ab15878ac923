"""`python -m data_loader`: look at a dataset, or get its pictures ready."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from model.devices import usable_cores
from model.pixels.cache.kinds import KINDS
from model.pixels.cache.plan import CacheWish, build, gigabytes, prepare_cache
from model.pixels.loader import PictureFiles
from model.pixels.table import DataError


class Images(Protocol):
    """The training side of a dataset."""

    @property
    def files(self) -> PictureFiles:
        """The pictures."""
        ...

    @property
    def categories(self) -> list[tuple[str, ...]]:
        """Product category of each, broadest level first."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What reading left out."""
        ...


Reader = Callable[[Path, Path | None], Images]
"""Reads the training side of a dataset, with a table of corrections if there is one."""


def run_command(
    arguments: Sequence[str], read: Reader, class_names: Sequence[str], cache_root: Path
) -> int:
    """Do what the command line says; returns the exit code.

    Args:
        arguments: The words after `python -m data_loader`.
        read: Reads the dataset.
        class_names: Names of the classes, K.
        cache_root: Folder of all picture caches.
    """
    args = parse_arguments(arguments)
    try:
        images = read(args.dataset, args.labels if args.command == "eda" else None)
        if args.command == "eda":
            look(args, images, class_names)
        else:
            fill_cache(args, images.files, cache_root)
    except DataError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    return 0


def look(args: argparse.Namespace, images: Images, class_names: Sequence[str]) -> None:
    """Tell what there is to see in a training set, and draw it into a folder.

    Raises:
        DataError: If a table cannot be used.
    """
    from model.exploration.explore import explore  # which the cache does not need
    from model.exploration.survey import Gallery

    gallery = Gallery(images.files, images.categories, tuple(class_names), images.notes)
    explore(gallery, out=args.out, predictions=args.oof, workers=args.workers, say=print)


def fill_cache(args: argparse.Namespace, files: PictureFiles, root: Path) -> None:
    """Make the copies that trainings of this dataset will read.

    Raises:
        DataError: If the folder cannot be used, or is too small.
    """
    wish = CacheWish(args.kind, root, args.cache_space)
    cache = prepare_cache(files.folder, files.names, wish, print)
    assert cache is not None, "a kind is always asked for"
    broken = build(
        cache,
        files.names,
        workers=args.workers,
        on_progress=lambda done, total: print(f"{done} of {total} pictures", flush=True),
    )
    if cache.full:
        raise DataError(
            f"The cache in {cache.store.folder} is not complete.",
            "The disk had room when it was begun, and has none now, or nothing may be written.",
            "Make room and start again: what is there already is kept.",
        )
    print(f"Done; {broken} of them cannot be read" if broken else "Done")


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; without a command, print what there is and leave with status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m data_loader",
        description="Look at a dataset of the review-image task, or get it ready.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _add_eda(commands.add_parser("eda", help="tell and draw what is in the training set"))
    _add_cache(commands.add_parser("cache", help="make smaller copies that trainings read faster"))
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
    _add_workers(parser)


def _add_cache(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Make the smaller copies of the training pictures that main.py --cache KIND would make in "
        "its first epoch. They lie in NSML_CACHE_FOLDER, or in ~/.cache/review-tagging, and serve "
        "all trainings on this folder."
    )
    parser.add_argument("dataset", type=Path, help="folder with train/train_data and train_label")
    parser.add_argument(
        "--kind",
        choices=sorted(KINDS),
        default="jpeg",
        help="; ".join(f"{kind.name}: {kind.words}" for kind in KINDS.values()),
    )
    parser.add_argument(
        "--cache-space",
        type=gigabytes,
        metavar="GB",
        help="how much the copies may take up (default: half of what is free on that disk)",
    )
    _add_workers(parser)


def _add_workers(parser: argparse.ArgumentParser) -> None:
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
