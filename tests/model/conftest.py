"""Examples in memory, and a training small enough for a test."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from model.batch import Batch
from model.config import Recipe
from model.devices import Compute
from model.experiment import start_trainee
from model.trainee import Trainee

CLASS_NAMES = ("worn", "placed", "swatch")


@dataclass(frozen=True)
class MemorySource:
    """Pictures of one size; each class has its own brightness, each picture its own noise."""

    labels: np.ndarray
    categories: list[tuple[str, ...]]
    unreadable: frozenset[int] = frozenset()
    side: int = 24

    def __len__(self) -> int:
        return len(self.labels)

    def picture(self, index: int) -> np.ndarray:
        rng = np.random.default_rng(index)
        noise = rng.integers(0, 60, size=(self.side, self.side, 3))
        return (noise + 60 * max(0, self.labels[index])).astype(np.uint8)

    def pixels(self, index: int, framing) -> np.ndarray:
        left, top, right, bottom = framing.box(self.side, self.side, index)
        columns = np.linspace(left, right, framing.size, endpoint=False).astype(int)
        rows = np.linspace(top, bottom, framing.size, endpoint=False).astype(int)
        return self.picture(index)[rows][:, columns]

    def batches(self, order, *, batch_size, framing, workers) -> Iterator[Batch]:
        for start in range(0, len(order), batch_size):
            indices = order[start : start + batch_size]
            images = np.stack([self.pixels(int(index), framing) for index in indices])
            readable = [int(index) not in self.unreadable for index in indices]
            yield Batch(
                torch.from_numpy(images),
                torch.from_numpy(self.labels[indices]),
                torch.from_numpy(indices),
                torch.tensor(readable),
            )

    def duplicate_groups(self, workers: int) -> np.ndarray:
        return np.arange(len(self.labels))


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Tiny tensors gain nothing from threads, and lose much where cores are shared."""
    torch.set_num_threads(1)


@pytest.fixture
def make_source() -> Callable[..., MemorySource]:
    def make(per_class: int = 10, unreadable: frozenset[int] = frozenset()) -> MemorySource:
        labels = np.repeat(np.arange(len(CLASS_NAMES)), per_class).astype(np.int64)
        categories = [("shop", f"shelf {label}") for label in labels]
        return MemorySource(labels, categories, unreadable)

    return make


@pytest.fixture
def recipe() -> Recipe:
    return Recipe(
        backbone="narrow",
        narrow_width=4,
        pretrained=False,
        hidden_size=8,
        image_size=16,
        batch_size=8,
        epochs=2,
        warmup_epochs=0.5,
        learning_rate=0.01,
        ema_decay=0.9,
        precision="fp32",
        loader_workers=0,
    )


@pytest.fixture
def make_trainee(make_source) -> Callable[[Recipe], Trainee]:
    def make(recipe: Recipe) -> Trainee:
        return start_trainee(recipe, make_source(), CLASS_NAMES)

    return make


@pytest.fixture
def compute() -> Compute:
    return Compute(torch.device("cpu"), torch.float32, torch.float32)
