"""What the labels of the nearest neighbours say.

N examples, K classes, D features.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_BLOCK_VALUES = 1 << 24
"""Similarities that are held at a time: 64 MiB of float32."""


def neighbour_probs(
    labels: NDArray[np.int64], features: ArrayLike, *, num_classes: int, neighbours: int = 20
) -> NDArray[np.float64]:
    """Share of each class among the most similar other examples.

    Args:
        labels: Given class, int [N], 0..K-1.
        features: Embeddings, float [N, D]; similarity is the cosine.
        num_classes: K.
        neighbours: How many vote; all others if there are fewer.

    Returns:
        Shares, float [N, K]; rows add up to 1.

    Raises:
        ValueError: If the features are not [N, D], finite, with at least two examples.

    Source: Bahri et al., "Deep k-NN for noisy labels", ICML 2020. arXiv:2004.12289
    """
    vectors = np.asarray(features, dtype=np.float32)
    examples = len(labels)
    if vectors.ndim != 2 or len(vectors) != examples or examples < 2:
        raise ValueError(
            f"features must be [N, D] with N = {examples} >= 2, not {list(vectors.shape)}."
        )
    if not np.isfinite(vectors).all():
        raise ValueError("features must be finite.")
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
    voters = min(neighbours, examples - 1)
    votes = np.zeros((examples, num_classes))
    rows = max(1, _BLOCK_VALUES // examples)
    for start in range(0, examples, rows):
        some = np.arange(start, min(start + rows, examples))
        similarity = vectors[some] @ vectors.T
        similarity[np.arange(len(some)), some] = -np.inf
        nearest = np.argpartition(-similarity, voters - 1, axis=1)[:, :voters]
        pairs = (some[:, None] - start) * num_classes + labels[nearest]
        counts = np.bincount(pairs.ravel(), minlength=len(some) * num_classes)
        votes[some] = counts.reshape(len(some), num_classes) / voters
    return votes
