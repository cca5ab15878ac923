"""In which order examples are visited, and which rank gets which.

N examples, B global batch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.seeding import Purpose, derive_seed


def steps_per_epoch(num_examples: int, batch_size: int) -> int:
    """Whole batches in one pass, at least one.

    The rest sits out; every epoch has another order, so it is another rest.
    """
    return max(1, num_examples // batch_size)


def epoch_order(
    examples: NDArray[np.int64], *, batch_size: int, seed: int, epoch: int
) -> NDArray[np.int64]:
    """Examples of one epoch in the order in which all ranks together visit them.

    A pure function of seed and epoch: the number of the epoch is the sampler's whole state.

    Args:
        examples: Positions in the source, int [N].
        batch_size: B.
        seed: Seed of the training.
        epoch: Epoch, 0-based.

    Returns:
        Positions, int [steps * B], or int [N] if N < B.
    """
    rng = np.random.Generator(np.random.PCG64(derive_seed(seed, Purpose.ORDER, epoch)))
    used = steps_per_epoch(len(examples), batch_size) * batch_size
    return rng.permutation(examples)[:used]


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
