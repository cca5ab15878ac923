import numpy as np
import pytest

from model.sampler import epoch_order, rank_share, steps_per_epoch

EXAMPLES = np.arange(100, 203)


def order(epoch: int = 0):
    return epoch_order(EXAMPLES, batch_size=20, seed=3, epoch=epoch)


def test_an_epoch_visits_examples_once_and_in_another_order_each_time():
    assert len(order()) == len(set(order())) == 100
    assert set(order()) <= set(EXAMPLES)
    assert np.array_equal(order(4), order(4))
    assert not np.array_equal(order(0), order(1))


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_ranks_together_see_the_same_batches_as_one(ranks):
    shares = [rank_share(order(), batch_size=20, rank=r, ranks=ranks) for r in range(ranks)]
    for step in range(5):
        batch = [mine[step * size : (step + 1) * size] for mine, size in shares]
        assert np.concatenate(batch).tolist() == order()[step * 20 : (step + 1) * 20].tolist()


def test_a_small_dataset_makes_one_step():
    few = epoch_order(np.arange(6), batch_size=20, seed=0, epoch=0)
    assert len(few) == 6
    assert steps_per_epoch(6, 20) == 1
    assert [rank_share(few, batch_size=20, rank=r, ranks=2)[1] for r in (0, 1)] == [3, 3]
