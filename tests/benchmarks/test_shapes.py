"""What the benchmarks learn: drawn pictures, alike for all contestants."""

from __future__ import annotations

import numpy as np

import data_loader
from benchmarks.shapes import CLASS_NAMES, MARGIN, draw_shapes
from benchmarks.smoke import shapes_recipe
from benchmarks.train_task import Task, draw_folder, draw_memory
from model.augment import framing_of
from model.augment.framing import fixed_framing


def test_classes_are_equally_large_and_a_seed_decides_every_pixel():
    drawn = draw_shapes(30, size=32, seed=1)
    assert np.bincount(drawn.labels).tolist() == [3] * len(CLASS_NAMES)
    assert drawn.pixels.shape == (30, 32 + 2 * MARGIN, 32 + 2 * MARGIN, 3)
    assert np.array_equal(drawn.pixels, draw_shapes(30, size=32, seed=1).pixels)
    assert not np.array_equal(drawn.pixels, draw_shapes(30, size=32, seed=2).pixels)


def test_training_shifts_the_window_and_validation_takes_the_middle():
    drawn, recipe = draw_shapes(10, size=64, seed=0), shapes_recipe("narrow", 4)
    order = np.repeat(np.arange(1), 1)
    middle = fixed_framing(recipe.eval_framing, 64, recipe.eval_crop)
    (batch,) = drawn.batches(order, batch_size=4, framing=middle, workers=0)
    inside = slice(MARGIN, MARGIN + 64)
    assert np.array_equal(batch.images[0].numpy(), drawn.pixels[0, inside, inside])
    windows = set()
    for key in range(8):
        random = framing_of(recipe, 64, key)
        (batch,) = drawn.batches(order, batch_size=4, framing=random, workers=0)
        windows.add(batch.images.numpy().tobytes())
    assert len(windows) > 4


def test_files_hold_what_both_loaders_read(tmp_path):
    draw_folder(tmp_path, 10)
    images = data_loader.read_train(tmp_path)
    by_class = {path.name: path.parent.name for path in (tmp_path / "by_class").rglob("*.jpg")}
    assert by_class == {name: str(k) for name, k in zip(images.names, images.labels, strict=True)}


def test_every_contestant_has_the_same_network_and_pictures():
    task = Task("narrow", count=300)
    (pixels, labels), again = draw_memory(task), draw_memory(task)
    assert pixels.shape == (300, 64, 64, 3)
    assert (pixels == again[0]).all()
    assert set(labels.tolist()) == set(range(5))
    ours, theirs = task.network().state_dict(), task.network().state_dict()
    assert all((ours[name] == theirs[name]).all() for name in ours)
