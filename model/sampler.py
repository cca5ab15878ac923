"""In which order examples are visited, and which rank gets which.

N examples, B global batch, K classes among them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.batch import UNKNOWN_LABEL
from model.seeding import Purpose, derive_seed


def steps_per_epoch(num_examples: int, batch_size: int) -> int:
    """Whole batches in one pass, at least one.

    The rest sits out; every epoch has another order, so it is another rest.
    """
    return max(1, num_examples // batch_size)


def epoch_order(
    examples: NDArray[np.int64],
    *,
    batch_size: int,
    seed: int,
    epoch: int,
    labels: NDArray[np.int64] | None = None,
    balance: float = 0.0,
) -> NDArray[np.int64]:
    """Examples of one epoch in the order in which all ranks together visit them.

    A pure function of seed and epoch: the number of the epoch is the sampler's whole state, and all
    ranks compute the same.

    Args:
        examples: Positions in the source, int [N].
        batch_size: B.
        seed: Seed of the training.
        epoch: Epoch, 0-based.
        labels: Class of every position in the source, int; read only if `balance` > 0.
        balance: a, 0..1: an example of a class of n_k is drawn with weight n_k^-a. 0 visits all
            examples alike, 1 all classes. The epoch is as long as with 0.

    Returns:
        Positions, int [steps * B], or int [N] if N < B.

    Raises:
        ValueError: If `balance` > 0 comes without labels.
    """
    rng = np.random.Generator(np.random.PCG64(derive_seed(seed, Purpose.ORDER, epoch)))
    used = steps_per_epoch(len(examples), batch_size) * batch_size
    if balance == 0:
        return rng.permutation(examples)[:used]
    if labels is None:
        raise ValueError("A balanced order needs the labels.")
    visits = balanced_visits(
        examples, labels[examples], draws=min(used, len(examples)), balance=balance, rng=rng
    )
    return rng.permutation(visits)


def balanced_visits(
    examples: NDArray[np.int64],
    labels: NDArray[np.int64],
    *,
    draws: int,
    balance: float,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Who is visited how often; class by class, not shuffled.

    Class k gets n_k^(1-a) / sum_j n_j^(1-a) of the draws. Within a class no one is visited a second
    time before all were visited once. Examples without a label keep their natural share.

    Args:
        examples: Positions, int [N].
        labels: Their classes, int [N].
        draws: Visits in all, 1..N.
        balance: a, 0..1.
        rng: Decides who, and where the fractions of a visit go.

    Returns:
        Positions, int [draws].

    Source: the exponent between natural (0) and class-balanced (1) sampling: Mikolov et al., 2013,
        arXiv:1310.4546, section 2.3, and Kang et al., "Decoupling", ICLR 2020, section 3,
        arXiv:1910.09217, where q = 1 - a.
    """
    classes, counts = np.unique(labels, return_counts=True)
    shares = np.where(classes == UNKNOWN_LABEL, 0.0, counts.astype(np.float64) ** (1 - balance))
    known = counts[classes != UNKNOWN_LABEL].sum()
    shares *= known / max(1.0, shares.sum())
    shares[classes == UNKNOWN_LABEL] = len(labels) - known
    quotas = whole_quotas(shares * (draws / len(labels)), draws, rng.random())
    return np.concatenate(
        [
            _cycle(examples[labels == which], quota, rng)
            for which, quota in zip(classes, quotas, strict=True)
        ]
    )


def whole_quotas(quotas: NDArray[np.float64], total: int, offset: float) -> NDArray[np.int64]:
    """Round quotas to whole numbers that sum to `total`, each up or down, and right on average.

    Args:
        quotas: Float [K], >= 0, with the sum `total`.
        total: Sum of the result.
        offset: Uniform random number in [0, 1).

    Returns:
        Whole numbers, int [K], each less than 1 away from its quota.

    Source: systematic sampling; Madow and Madow, "On the theory of systematic sampling", 1944.
    """
    edges = np.floor(np.cumsum(quotas) + offset).astype(np.int64)
    # The sum is whole but for rounding errors, which must not cost or add a visit.
    edges[-1] = total
    return np.diff(edges.clip(max=total), prepend=0)


def _cycle(members: NDArray[np.int64], draws: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """`draws` of the members: whole passes, each in a fresh order, the last one cut off."""
    passes = -(-draws // len(members))
    fresh = [rng.permutation(members) for _ in range(passes)]
    return np.concatenate([*fresh, members[:0]])[:draws]


def rank_share(
    order: NDArray[np.int64], *, batch_size: int, rank: int, ranks: int
) -> tuple[NDArray[np.int64], int]:
    """Part of every global batch that one rank works on.

    Args:
        order: From `epoch_order`.
        batch_size: B.
        rank: 0..ranks-1.
        ranks: Processes that share each batch.

    Returns:
        The rank's examples in order, and how many of them make one step.
    """
    batch = min(batch_size, len(order))
    edges = [batch * part // ranks for part in range(ranks + 1)]
    mine = order.reshape(-1, batch)[:, edges[rank] : edges[rank + 1]]
    return mine.reshape(-1), edges[rank + 1] - edges[rank]
