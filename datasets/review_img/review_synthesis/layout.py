"""The dataset on disk: pictures drawn by several processes, label tables, owner's files.

Everything is written into a draft folder beside the target and renamed at the end, so that a
dataset is either complete or not there.
"""

from __future__ import annotations

import csv
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from review_synthesis import GENERATOR_VERSION
from review_synthesis.catalog import NUM_CLASSES
from review_synthesis.difficulty import Difficulty
from review_synthesis.picture import draw_picture
from review_synthesis.plan import Review, class_shares, plan_reviews

OWNER_FILES = ("data_loader.py", "evaluation.py")
CATEGORIES = ("category_1", "category_2", "category_3", "category_4")
TRUTH_FILE = "train_truth"
DRY_RUN_IMAGES = 40
"""Pictures of `test_submit/`, the same number of each class."""
MOST_TEST_IMAGES = 20_000
CHUNK = 16
"""Pictures that a worker draws before it reports."""
SUBMIT_INTERVAL = {"full": 3600, "demo": 0}
"""Seconds between two scored submissions; the demo can be repeated at once."""


@dataclass(frozen=True)
class Order:
    """What dataset to make."""

    images: int
    """Training pictures; a quarter as many test pictures are added, at most 20 000."""
    scale: str = "demo"
    """"demo" (sides 64..160) or "full" (sides 49..1280)."""
    seed: int = 0
    """The same seed gives the same bytes, whatever the number of workers."""
    workers: int = 1
    """Processes that draw, at least 1."""
    balanced: bool = False
    """Give every class the same share."""
    difficulty: Difficulty = field(default_factory=Difficulty)
    """Overlap of the classes and label noise."""


def write_dataset(target: Path, order: Order, on_picture: Callable[[int, int], None]) -> None:
    """Make a whole dataset, and beside it the true training labels in `NAME.truth/`.

    Args:
        target: Folder to make; it must not exist, or be empty.
        order: What to draw.
        on_picture: Called with the pictures done and the total, before the planning and after
            it, then at least once a second.

    Raises:
        FileExistsError: If the target holds something already, or its truth folder something
            else than the truth of a dataset that is gone.
    """
    target = Path(os.path.abspath(target))
    refuse_to_overwrite(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    total = sum(split_sizes(order).values())
    on_picture(0, total)
    splits = plan_splits(order)
    on_picture(0, total)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-draft-", dir=target.parent))
    try:
        # mkdtemp closes the folder to others, but a dataset is there to be read.
        (draft / "data").mkdir()
        (draft / "truth").mkdir()
        _write_tables(draft / "data", draft / "truth", splits)
        _write_owner_files(draft / "data", order)
        everything = [review for reviews in splits.values() for review in reviews]
        draw_all(draft / "data", everything, order, on_picture)
        truth = truth_folder(target)
        if truth.exists():
            shutil.rmtree(truth)
        os.replace(draft / "truth", truth)
        if target.exists():
            target.rmdir()
        os.replace(draft / "data", target)
    finally:
        shutil.rmtree(draft)


def refuse_to_overwrite(target: Path) -> None:
    """Raise FileExistsError if making the dataset would cost somebody a file."""
    truth = truth_folder(target)
    for folder, ours in ((target, set[str]()), (truth, {TRUTH_FILE})):
        if folder.exists() and {path.name for path in folder.iterdir()} - ours:
            raise FileExistsError(folder)


def truth_folder(target: Path) -> Path:
    """Where the true labels of the training pictures go: beside the dataset, never inside."""
    return target.with_name(f"{target.name}.truth")


def plan_splits(order: Order) -> dict[str, list[Review]]:
    """Reviews of the three splits by name."""
    usual = class_shares(order.scale, balanced=order.balanced)
    even = class_shares(order.scale, balanced=True)
    return {
        split: plan_reviews(
            order.seed, split, count, even if split == "test_submit" else usual, order.difficulty
        )
        for split, count in split_sizes(order).items()
    }


def split_sizes(order: Order) -> dict[str, int]:
    """Number of pictures in each split."""
    test = min(MOST_TEST_IMAGES, max(1, order.images // 4))
    return {"train": order.images, "test": test, "test_submit": DRY_RUN_IMAGES}


def picture_folder(root: Path, split: str) -> Path:
    """Where the pictures of a split lie: `train/train_data`, `test/test_data`, ..."""
    return root / split / ("train_data" if split == "train" else "test_data")


def draw_all(
    root: Path, reviews: Sequence[Review], order: Order, on_picture: Callable[[int, int], None]
) -> None:
    """Draw every picture into its folder, in `order.workers` processes."""
    chunks = [reviews[start : start + CHUNK] for start in range(0, len(reviews), CHUNK)]
    # spawn, because a forked copy of a process with threads may hang.
    context = multiprocessing.get_context("spawn")
    done = 0
    on_picture(done, len(reviews))
    with ProcessPoolExecutor(order.workers, mp_context=context) as pool:
        pending = {
            pool.submit(draw_chunk, root, order.seed, order.scale, chunk): len(chunk)
            for chunk in chunks
        }
        try:
            while pending:
                finished, _ = wait(pending, timeout=1.0, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                    done += pending.pop(future)
                on_picture(done, len(reviews))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def draw_chunk(root: Path, seed: int, scale: str, reviews: Sequence[Review]) -> None:
    """Draw some pictures; runs in a worker process."""
    for review in reviews:
        path = picture_folder(root, review.split) / review.image_name
        path.write_bytes(draw_picture(seed, scale, review))


def _write_tables(root: Path, truth: Path, splits: dict[str, list[Review]]) -> None:
    for split in splits:
        picture_folder(root, split).mkdir(parents=True)
    train = splits["train"]
    rows = ([*review.categories, review.given, review.image_name] for review in train)
    _write_csv(root / "train" / "train_label", [*CATEGORIES, "answer", "image_name"], rows)
    told = ([review.image_name, review.given, review.answer] for review in train)
    _write_csv(truth / TRUTH_FILE, ["image_name", "given", "true"], told)
    for split in ("test", "test_submit"):
        asked = ([review.image_name, *review.categories] for review in splits[split])
        inputs = picture_folder(root, split) / "test_input"
        _write_csv(inputs, ["image_name", *CATEGORIES], asked)
        answers = ([review.image_name, review.answer] for review in splits[split])
        _write_csv(root / split / "test_label", ["image_name", "answer"], answers)


def _write_csv(path: Path, header: list[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _write_owner_files(root: Path, order: Order) -> None:
    here = Path(__file__).resolve().parents[1]
    for name in OWNER_FILES:
        shutil.copyfile(here / name, root / name)
    settings: dict[str, object] = {
        "name": "review_img",
        "description": "Tag a review picture: worn, placed, swatch, dish or none of these",
        "tags": ["image", "classification", "noisy-labels"],
        "metric": "custom",
        "order": "descending",
        "submit_interval": SUBMIT_INTERVAL[order.scale],
        "time_limit": 3600,
        "num_classes": NUM_CLASSES,
        "generator_version": GENERATOR_VERSION,
        "seed": order.seed,
        "images": order.images,
        "scale": order.scale,
        "balanced": order.balanced,
    }
    lines = [f"{key} = {_toml(value)}\n" for key, value in settings.items()]
    (root / "dataset.toml").write_text("".join(lines), encoding="utf-8")


def _toml(value: object) -> str:
    """Text, a truth value, a number or a list of text as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)
