import numpy as np
import pytest

from model.sampler import epoch_order, rank_share, steps_per_epoch, whole_quotas

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


CLASSES = np.repeat([0, 1, 2], [400, 90, 10])
POSITIONS = np.random.default_rng(0).permutation(500)


def balanced(balance: float, epoch: int = 0, *, batch_size: int = 50, labels=CLASSES):
    return epoch_order(
        POSITIONS, batch_size=batch_size, seed=3, epoch=epoch, labels=labels, balance=balance
    )


def shares(balance: float) -> list[float]:
    """Visits of each class, averaged over epochs."""
    visits = [np.bincount(CLASSES[balanced(balance, epoch)], minlength=3) for epoch in range(200)]
    return np.mean(visits, axis=0).tolist()


def test_the_power_decides_how_often_a_class_is_visited():
    assert shares(1.0) == pytest.approx([500 / 3] * 3, abs=0.2)
    roots = np.sqrt([400, 90, 10])
    assert shares(0.5) == pytest.approx((500 * roots / roots.sum()).tolist(), abs=0.2)
    assert shares(1e-9) == pytest.approx([400, 90, 10], abs=0.01)


def test_every_epoch_has_the_right_number_of_each_class():
    for epoch in range(20):
        visits = np.bincount(CLASSES[balanced(1.0, epoch)])
        assert set(visits) <= {166, 167}


def test_without_balance_labels_change_nothing():
    plain = epoch_order(POSITIONS, batch_size=50, seed=3, epoch=0)
    assert np.array_equal(balanced(0.0), plain)
    # The order that seed 3 has always given: a resumed training must find it again.
    frozen = epoch_order(np.arange(7), batch_size=3, seed=3, epoch=0).tolist()
    assert frozen == [0, 2, 5, 1, 6, 3]


@pytest.mark.parametrize("balance", [0.3, 1.0])
def test_nobody_is_visited_twice_before_all_of_the_class_were_visited_once(balance: float):
    visits = np.bincount(balanced(balance), minlength=500)
    for which in range(3):
        members = visits[which == CLASSES]
        assert members.max() - members.min() <= 1


def test_a_balanced_epoch_is_as_long_as_a_natural_one():
    for batch_size in (50, 64, 400, 800):
        natural = balanced(0.0, batch_size=batch_size)
        assert len(balanced(0.7, batch_size=batch_size)) == len(natural)


def test_a_balanced_order_is_a_shuffled_function_of_seed_and_epoch():
    assert np.array_equal(balanced(0.7, 4), balanced(0.7, 4))
    assert not np.array_equal(balanced(0.7, 4), balanced(0.7, 5))
    firsts = np.bincount(CLASSES[balanced(1.0)[:150]], minlength=3)
    assert firsts.min() > 30


def test_unlabelled_examples_keep_their_natural_share():
    labels = np.where(CLASSES == 1, -1, CLASSES)
    visits = np.unique(labels[balanced(1.0, labels=labels)], return_counts=True)
    assert dict(zip(*(part.tolist() for part in visits), strict=True)) == {-1: 90, 0: 205, 2: 205}
    nobody = balanced(1.0, labels=np.full(500, -1))
    assert len(set(nobody.tolist())) == 500


def test_quotas_are_rounded_to_their_sum_and_right_on_average():
    quotas = np.array([0.1] * 10 + [2.5, 6.5])
    offsets = (np.arange(1000) + 0.5) / 1000
    rounded = np.array([whole_quotas(quotas, 10, offset) for offset in offsets])
    assert (rounded.sum(axis=1) == 10).all()
    assert (np.abs(rounded - quotas) < 1).all()
    assert rounded.mean(axis=0).tolist() == pytest.approx(quotas.tolist())


def test_balance_asks_for_labels():
    with pytest.raises(ValueError, match="needs the labels"):
        epoch_order(POSITIONS, batch_size=50, seed=3, epoch=0, balance=0.5)
