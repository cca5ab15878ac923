"""Make the `review_img` dataset: `python datasets/review_img/generate.py OUT`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from review_synthesis.layout import Order, truth_folder, write_dataset
from review_synthesis.progress import Progress

FEWEST_IMAGES = 50
DEMO_IMAGES, FULL_IMAGES = 4000, 171_000


def main(arguments: Sequence[str]) -> int:
    """Draw the dataset that the arguments ask for; returns the exit code."""
    options = parser().parse_args(arguments)
    target = Path(options.out)
    order = Order(
        images=options.images or (DEMO_IMAGES if options.scale == "demo" else FULL_IMAGES),
        scale=options.scale,
        seed=options.seed,
        workers=options.workers or available_cores(),
        balanced=options.balanced,
    )
    print(
        f"Drawing {order.images} training pictures into {target} ({order.scale} scale)", flush=True
    )
    progress: list[Progress] = []

    def show(done: int, total: int) -> None:
        if not progress:
            progress.append(Progress(total, "pictures"))
        progress[0].update(done)

    try:
        write_dataset(target, order, show)
    except FileExistsError as error:
        return refuse(f"{error} is not empty. Remove it, or give another folder than {target}.")
    except OSError as error:
        return refuse(f"{target} could not be written: {error}. Check space and permissions.")
    except BrokenProcessPool:
        return refuse("a drawing process was killed, perhaps for memory. Try fewer --workers.")
    except KeyboardInterrupt:
        return refuse("stopped; nothing was kept.", code=130)
    print(f"Done: {target}; true training labels, for evaluation only, in {truth_folder(target)}")
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="generate.py", description="Draw a dataset of product review pictures in five classes."
    )
    result.add_argument("out", metavar="OUT", help="folder to make; must not exist, or be empty")
    result.add_argument(
        "--images",
        type=_at_least(FEWEST_IMAGES),
        help=f"training pictures, {FEWEST_IMAGES} or more (default {DEMO_IMAGES} at demo scale, "
        f"{FULL_IMAGES} at full); a quarter as many test pictures are added",
    )
    result.add_argument(
        "--scale",
        choices=("demo", "full"),
        default="demo",
        help="demo: sides of 64-160 pixels; full: up to 1280, real class shares (default demo)",
    )
    result.add_argument("--seed", type=_at_least(0), default=0, help="same seed, same bytes")
    result.add_argument(
        "--workers", type=_at_least(1), help="processes that draw (default: one per core)"
    )
    result.add_argument("--balanced", action="store_true", help="same share for every class")
    return result


def available_cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def refuse(reason: str, code: int = 1) -> int:
    """Tell the user on standard error; returns the exit code."""
    print(f"generate.py: {reason}", file=sys.stderr)
    return code


def _at_least(bound: int) -> Callable[[str], int]:
    """Argument type: a whole number not below a bound."""

    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < bound:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least {bound}")
        return int(text)

    return parse


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
