"""Noisy data sets of every kind that a filter rule may meet."""

from dataclasses import dataclass

import numpy as np
import pytest


@dataclass(frozen=True)
class Noisy:
    """Labels, a model's probabilities, and what only a test knows."""

    labels: np.ndarray
    pred_probs: np.ndarray
    truth: np.ndarray

    @property
    def wrong(self) -> np.ndarray:
        return self.labels != self.truth


def _draw_noisy(
    seed: int,
    *,
    examples=400,
    shares=(0.25,) * 4,
    noise=0.2,
    strength=3.0,
    sharpness=1.0,
    model_seed=None,
) -> Noisy:
    """Draw true classes, flip some labels evenly, and ask a model of some strength."""
    rng = np.random.default_rng(seed)
    classes = len(shares)
    truth = rng.choice(classes, size=examples, p=np.array(shares) / np.sum(shares))
    moved = (truth + rng.integers(1, classes, size=examples)) % classes
    labels = np.where(rng.random(examples) < noise, moved, truth)
    if model_seed is not None:
        rng = np.random.default_rng(model_seed)
    logits = rng.normal(size=(examples, classes)) + strength * np.eye(classes)[truth]
    odds = np.exp(sharpness * logits)
    return Noisy(labels, odds / odds.sum(axis=1, keepdims=True), truth)


def _kinds() -> dict[str, Noisy]:
    plain = _draw_noisy(0)
    tied = np.round(plain.pred_probs * 4) / 4
    votes = np.eye(4)[plain.pred_probs.argmax(axis=1)]
    sparse = _draw_noisy(1, shares=(0.5, 0.3, 0, 0.2, 0), noise=0)
    alone = np.append(sparse.labels[1:], 4)
    return {
        "plain": plain,
        "plain, single precision": Noisy(
            plain.labels, plain.pred_probs.astype(np.float32), plain.truth
        ),
        "imbalanced": _draw_noisy(2, shares=(33, 25, 1.5, 12, 100), noise=0.1, strength=2),
        "full of ties": Noisy(plain.labels, tied / tied.sum(axis=1, keepdims=True), plain.truth),
        "votes, single precision": Noisy(plain.labels, votes.astype(np.float32), plain.truth),
        "classes without examples": sparse,
        "one class with one example": Noisy(alone, sparse.pred_probs, sparse.truth),
        "many classes, few examples": _draw_noisy(3, shares=(1,) * 30, noise=0.4),
        "two classes": _draw_noisy(4, shares=(0.9, 0.1), strength=1),
        "a model that knows nothing": _draw_noisy(5, strength=0),
    }


NOISY = _kinds()


@pytest.fixture(params=NOISY, ids=str)
def noisy(request) -> Noisy:
    return NOISY[request.param]


@pytest.fixture
def draw_noisy():
    return _draw_noisy
