"""What all contestants of `benchmarks.train` learn, and with which settings."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image

from benchmarks.shapes import CLASS_NAMES, SIZE, draw_shapes
from model.config import Recipe
from model.networks import build_network
from model.networks.classifier import Classifier
from model.recipes import override, smoke

FILE_SIZE = 308
"""Side of the pictures in files without their margin, pixels."""
NUM_CLASSES = 5
"""As many as `data_loader` knows."""


@dataclass(frozen=True)
class Task:
    """One network and its settings."""

    backbone: str
    count: int
    """Pictures of an epoch, whole batches."""
    device: str = "cpu"
    batch_size: int = 64
    clip_grad_norm: float = 5.0

    @property
    def recipe(self) -> Recipe:
        """The settings as one of our recipes: SGD, flips, no category, everything kept."""
        return override(
            smoke(),
            [
                *(f"backbone={self.backbone}", "narrow_width=16", "category_levels=0"),
                *("category_dropout=0", "logit_adjustment=0", "label_smoothing=0"),
                *("optimizer=sgd", "learning_rate=0.05", "weight_decay=0.0005", "crop_scale=0.08"),
                *("loader_workers=0", "valid_share=0.05", "epochs=3"),
                *(f"batch_size={self.batch_size}", f"clip_grad_norm={self.clip_grad_norm}"),
            ],
        )

    def network(self) -> Classifier:
        """The network of all contestants."""
        torch.manual_seed(0)
        return build_network(
            self.recipe, num_classes=NUM_CLASSES, category_sizes=(), pretrained=False
        )


def draw_folder(folder: Path, count: int) -> None:
    """The same JPEG files as `data_loader` and as timm want them: with a table, and by class."""
    pictures = draw_shapes(count, size=FILE_SIZE, seed=0)
    data = folder / "train" / "train_data"
    data.mkdir(parents=True)
    with open(folder / "train" / "train_label", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["image_name", "answer"])
        for number, (pixels, label) in enumerate(
            zip(pictures.pixels, pictures.labels, strict=True)
        ):
            name, answer = f"{number:05d}.jpg", int(label) % NUM_CLASSES
            Image.fromarray(pixels).save(data / name, quality=90)
            table.writerow([name, answer])
            by_class = folder / "by_class" / str(answer)
            by_class.mkdir(parents=True, exist_ok=True)
            (by_class / name).hardlink_to(data / name)


def draw_memory(task: Task) -> tuple[torch.Tensor, torch.Tensor]:
    """Pixels, uint8 [N, S, S, 3], and labels, int [N]."""
    drawn = draw_shapes(256, size=SIZE, seed=0)
    places = torch.arange(task.count) % len(drawn)
    edge = (drawn.pixels.shape[1] - SIZE) // 2
    window = drawn.pixels[:, edge : edge + SIZE, edge : edge + SIZE]
    labels = torch.from_numpy(drawn.labels) % NUM_CLASSES
    assert len(CLASS_NAMES) % NUM_CLASSES == 0
    return torch.from_numpy(window.copy())[places], labels[places]
