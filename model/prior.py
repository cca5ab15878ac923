"""How likely each class is in each product category, counted on the training labels.

N examples, K classes, L category levels used, U different categories, P categories with a count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.batch import UNKNOWN_LABEL
from model.config import LOG_ODDS, MASK, Recipe
from model.vocabulary import distinct_paths

RULED_OUT = -60.0
"""What `CategoryPrior.mask` adds to the logit of a class that is ruled out.

No lead in the logits makes up for a factor of 1e-26, and yet the probability stays above zero in
float32, so that its logarithm is finite.
"""
ROOT_SMOOTHING = 1.0
"""Examples' worth of even shares that the class shares themselves start from, so that a class
without any label keeps a little."""

Path = tuple[str, ...]
Categories = Sequence[Path]
"""Product category of each example, broadest level first; an empty name ends it early."""


@dataclass(frozen=True)
class CategoryPrior:
    """p(class | category), every category leaning on the one above it.

    The shares of category c with the parent c' and n_ck examples of class k are

        p_c(k) = (n_ck + s * p_c'(k)) / (n_c + s)

    where s is the smoothing: with few examples c says what its parent says, with many it speaks for
    itself. Above the broadest level stands the root, all examples together. A category without any
    example is its deepest known ancestor. Categories are told apart by their whole path, so equal
    names under different parents share nothing.

    Source: Micci-Barreca, "A preprocessing scheme for high-cardinality categorical attributes in
        classification and prediction problems", SIGKDD Explorations 3(1), 2001.
    """

    levels: int
    """Category levels that are looked at, L."""
    smoothing: float
    """Examples' worth of its parent's shares that each category starts from, > 0."""
    paths: tuple[Path, ...]
    """Categories with a count, sorted; the first is (), the root."""
    counts: tuple[tuple[float, ...], ...]
    """Weight of the examples of each class in each of them, [P][K]."""

    @property
    def class_shares(self) -> NDArray[np.float64]:
        """p(class), whatever the category; float [K], > 0, sums to 1."""
        return self._blend(np.zeros((1, 1), dtype=np.int64), None)[0]

    def probabilities(self, categories: Categories) -> NDArray[np.float32]:
        """p(class | category) of each example; float32 [N, K], > 0, rows sum to 1."""
        return self._probs(categories).astype(np.float32)

    def leave_one_out(
        self,
        categories: Categories,
        labels: NDArray[np.int64],
        weights: NDArray[np.floating[Any]] | None = None,
    ) -> NDArray[np.float32]:
        """p(class | category) without the example's own label.

        In a category of few examples the plain ones give away each label, right or wrong, so that
        a network trained with them would trust them too much on new examples.

        Args:
            categories: N.
            labels: What `learn_prior` was given, int [N]; nothing is taken off where it is
                UNKNOWN_LABEL.
            weights: What `learn_prior` was given, float [N].

        Returns:
            float32 [N, K], > 0, rows sum to 1.
        """
        return self._probs(categories, labels, weights).astype(np.float32)

    def log_odds(
        self,
        categories: Categories,
        strength: float,
        labels: NDArray[np.int64] | None = None,
        weights: NDArray[np.floating[Any]] | None = None,
    ) -> NDArray[np.float32]:
        """How much likelier than usual each class is in each example's category.

        That is strength * (log p(class | category) - log p(class)). By Bayes' rule, logits that
        know nothing of the category become with it those given both, as long as picture and
        category are independent given the class.

        Args:
            categories: N.
            strength: Factor, >= 0.
            labels: Leaves each example's own label out; see `leave_one_out`.
            weights: Goes with the labels.

        Returns:
            float32 [N, K], zeros where the category is unknown and no label is left out.
        """
        odds = np.log(self._probs(categories, labels, weights)) - np.log(self.class_shares)
        return (strength * odds).astype(np.float32)

    def plausibility(self, categories: Categories, threshold: float) -> NDArray[np.bool_]:
        """Which classes make sense in each example's category.

        A class does not if its probability is below the threshold, and also a small part of its
        usual share: min(1, threshold * K) of it. So a class that is rare everywhere is no less
        plausible where it is as rare as ever, or where nothing is known of the category. The most
        probable class always makes sense.

        Args:
            categories: N.
            threshold: Probability, 0..1.

        Returns:
            bool [N, K], True at least once in each row.
        """
        place, paths = distinct_paths(categories)
        probs = self._blend(self._chains(paths), None)
        usual = self.class_shares * min(1.0, threshold * probs.shape[1])
        likeliest = probs == probs.max(axis=1, keepdims=True)
        return ((probs >= np.minimum(threshold, usual)) | likeliest)[place]

    def mask(self, categories: Categories, threshold: float) -> NDArray[np.float32]:
        """RULED_OUT for the classes that make no sense, else 0; float32 [N, K]."""
        return np.where(self.plausibility(categories, threshold), 0, RULED_OUT).astype(np.float32)

    def logit_terms(
        self,
        recipe: Recipe,
        categories: Categories,
        *,
        training: bool,
        labels: NDArray[np.int64] | None = None,
        weights: NDArray[np.floating[Any]] | None = None,
    ) -> NDArray[np.float32]:
        """What a recipe adds to the logits of each example.

        The log-odds belong to the model and are there in training too, so that the network learns
        what they do not say. The mask corrects a finished network; in training it would make the
        loss of a label it rules out huge, and such labels exist.

        Args:
            recipe: Its field category_prior decides.
            categories: N.
            training: Whether the logits go into the loss.
            labels: In training, what `learn_prior` was given, to leave each example's own out.
            weights: Goes with the labels.

        Returns:
            float32 [N, K].
        """
        if recipe.category_prior == LOG_ODDS:
            own = labels if training else None
            return self.log_odds(categories, recipe.prior_strength, own, weights)
        if recipe.category_prior == MASK and not training:
            return self.mask(categories, recipe.prior_threshold)
        return np.zeros((len(categories), len(self.counts[0])), dtype=np.float32)

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "levels": self.levels,
            "smoothing": self.smoothing,
            "paths": [list(path) for path in self.paths],
            "counts": [list(row) for row in self.counts],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> CategoryPrior:
        """Read what `to_json` returned, also after a trip through a file."""
        return cls(
            document["levels"],
            document["smoothing"],
            tuple(tuple(path) for path in document["paths"]),
            tuple(tuple(row) for row in document["counts"]),
        )

    @cached_property
    def _table(self) -> NDArray[np.float64]:
        """The counts as numbers of numpy, [P, K]."""
        return np.array(self.counts, dtype=np.float64)

    @cached_property
    def _rows(self) -> dict[Path, int]:
        """Row of each path in the table."""
        return {path: row for row, path in enumerate(self.paths)}

    def _probs(
        self,
        categories: Categories,
        labels: NDArray[np.int64] | None = None,
        weights: NDArray[np.floating[Any]] | None = None,
    ) -> NDArray[np.float64]:
        """p(class | category), each example's own label left out if labels are given; [N, K]."""
        place, paths = distinct_paths(categories)
        chains = self._chains(paths)
        if labels is None:
            return self._blend(chains, None)[place]
        known = np.flatnonzero(labels != UNKNOWN_LABEL)
        own = np.zeros((len(place), self._table.shape[1]))
        own[known, labels[known]] = 1.0 if weights is None else weights[known]
        return self._blend(chains[place], own)

    def _chains(self, paths: Sequence[Path]) -> NDArray[np.int64]:
        """Table rows of each path's ancestors from the root to itself; int [U, L + 1].

        -1 from the first one on that has no count.
        """
        chains = np.full((len(paths), self.levels + 1), -1, dtype=np.int64)
        for number, path in enumerate(paths):
            for depth, ancestor in enumerate(_lineage(path, self.levels)):
                chains[number, depth] = self._rows.get(ancestor, -1)
        return chains

    def _blend(
        self, chains: NDArray[np.int64], own: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        """Probabilities at the end of each chain, float [M, K].

        Args:
            chains: Table rows, int [M, 1..L + 1].
            own: What is taken off all counts on the way, float [M, K].
        """
        num_classes = self._table.shape[1]
        probs = np.full((len(chains), num_classes), 1 / num_classes)
        for depth, rows in enumerate(chains.T):
            smoothing = self.smoothing if depth else ROOT_SMOOTHING
            here = np.flatnonzero(rows >= 0)
            counts = self._table[rows[here]]
            if own is not None:
                counts = (counts - own[here]).clip(min=0)
            total = counts.sum(axis=1, keepdims=True)
            probs[here] = (counts + smoothing * probs[here]) / (total + smoothing)
        return probs


def learn_prior(
    categories: Categories,
    labels: NDArray[np.int64],
    *,
    num_classes: int,
    levels: int,
    smoothing: float,
    weights: NDArray[np.floating[Any]] | None = None,
) -> CategoryPrior:
    """Count the labels of every category.

    Args:
        categories: N.
        labels: Class of each example, int [N]; those with UNKNOWN_LABEL do not count.
        num_classes: K.
        levels: Category levels to look at, L; 0 knows the class shares only.
        smoothing: Examples' worth of its parent's shares that each category starts from, > 0.
        weights: How much each example counts, float [N], >= 0; None counts all as one.

    Raises:
        ValueError: If the smoothing is not positive, or a label is not below num_classes.
    """
    if not smoothing > 0:
        raise ValueError(f"smoothing is {smoothing}; it must be above 0.")
    if labels.max(initial=UNKNOWN_LABEL) >= num_classes or labels.min(initial=0) < UNKNOWN_LABEL:
        raise ValueError(f"Labels must be 0..{num_classes - 1}, or {UNKNOWN_LABEL} for unknown.")
    place, paths = distinct_paths(categories)
    known = labels != UNKNOWN_LABEL
    cells = place[known] * num_classes + labels[known]
    table = np.bincount(
        cells, None if weights is None else weights[known], minlength=len(paths) * num_classes
    ).reshape(len(paths), num_classes)
    counts: dict[Path, NDArray[np.float64]] = {(): np.zeros(num_classes)}
    # Labelled categories only: an empty row would say no more than its parent.
    for number in np.flatnonzero(table.sum(axis=1)):
        for ancestor in _lineage(paths[number], levels):
            counts[ancestor] = counts.get(ancestor, 0.0) + table[number]
    ordered = tuple(sorted(counts))
    return CategoryPrior(
        levels, smoothing, ordered, tuple(tuple(counts[path].tolist()) for path in ordered)
    )


def _lineage(path: Path, levels: int) -> list[Path]:
    """The path's ancestors from the root to itself, down to its first empty name."""
    names = tuple(takewhile(bool, path[:levels]))
    return [names[:depth] for depth in range(len(names) + 1)]
