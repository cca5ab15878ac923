import time

import numpy as np
import pytest
from sklearn.model_selection import StratifiedGroupKFold

from model.errors import TrainingError
from model.folds import NO_FOLD, grouped_folds

COMPETITION = np.array([33_661, 25_218, 1_564, 12_152, 104_157])


def table(labels, folds, number):
    """Examples of each class in each fold, [K, F]."""
    return np.array([np.bincount(folds[labels == k], minlength=number) for k in np.unique(labels)])


def imbalance(labels, folds, number):
    """How far the shares of the classes are off an even deal: largest relative error of all."""
    counts = table(labels, folds, number)
    fair = counts.sum(axis=1, keepdims=True) / number
    return (np.abs(counts - fair) / fair).max()


def alone(labels):
    return np.arange(len(labels))


@pytest.mark.parametrize("number", [2, 3, 5, 10])
def test_single_examples_balance_every_class_and_the_folds_within_one(number):
    rng = np.random.default_rng(number)
    labels = rng.choice(5, size=1_237, p=[0.19, 0.14, 0.03, 0.07, 0.57])
    folds = grouped_folds(labels, alone(labels), folds=number, seed=0)
    counts = table(labels, folds, number)
    assert (np.ptp(counts, axis=1) <= 1).all()
    assert np.ptp(counts.sum(axis=0)) <= 1


def test_a_group_is_never_split():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 300, size=1_000)
    labels = rng.integers(0, 4, size=1_000)
    folds = grouped_folds(labels, groups, folds=5, seed=0)
    assert all(len(np.unique(folds[groups == g])) == 1 for g in np.unique(groups))


@pytest.mark.parametrize("seed", range(4))
def test_grouped_folds_are_no_less_even_than_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    sizes = rng.geometric(0.5, size=900)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    of_group = rng.choice(5, size=len(sizes), p=[0.19, 0.14, 0.04, 0.07, 0.56])
    labels = np.where(rng.random(len(groups)) < 0.1, 4, of_group[groups])
    ours = grouped_folds(labels, groups, folds=5, seed=seed)
    theirs = np.empty_like(ours)
    splitter = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    for fold, (_, held_out) in enumerate(splitter.split(labels, labels, groups)):
        theirs[held_out] = fold
    assert imbalance(labels, ours, 5) <= imbalance(labels, theirs, 5)
    assert (np.ptp(table(labels, ours, 5), axis=1) <= 2).all()


def test_the_single_examples_level_what_a_large_group_has_unbalanced():
    labels = np.zeros(40, dtype=np.int64)
    groups = np.array([100] * 10 + list(range(30)))
    folds = grouped_folds(labels, groups, folds=4, seed=0)
    assert np.bincount(folds).tolist() == [10, 10, 10, 10]
    assert set(folds[10:]) == set(range(4)) - {folds[0]}


@pytest.mark.parametrize("seed", range(3))
def test_the_largest_groups_go_first_so_that_small_ones_can_make_up_for_them(seed):
    groups = np.repeat([0, 1, 2, 3], [2, 2, 2, 6])
    folds = grouped_folds(np.zeros(12, dtype=np.int64), groups, folds=2, seed=seed)
    assert np.bincount(folds).tolist() == [6, 6]


def test_a_rare_class_counts_more_than_a_frequent_one():
    # The last pair could balance either class; the frequent one is balanced by the single examples.
    labels = np.array([0] * 4 + [1] * 3 + [0, 1] + [0] * 95)
    groups = np.array([0] * 4 + [1] * 3 + [2, 2] + list(range(3, 98)))
    folds = grouped_folds(labels, groups, folds=2, seed=0)
    assert table(labels, folds, 2).tolist() in ([[50, 50], [1, 3]], [[50, 50], [3, 1]])


def test_an_example_without_a_label_is_in_no_fold_even_within_a_group():
    labels = np.array([0, 0, -1, 0, 1, 1, 1, -1])
    groups = np.array([0, 1, 1, 2, 3, 4, 5, 6])
    folds = grouped_folds(labels, groups, folds=3, seed=0)
    assert (folds == NO_FOLD).tolist() == (labels < 0).tolist()
    assert table(labels[labels >= 0], folds[labels >= 0], 3).tolist() == [[1, 1, 1]] * 2


def test_labels_that_are_all_unknown_make_no_fold():
    assert grouped_folds(np.array([-1, -1]), np.arange(2), folds=5, seed=0).tolist() == [-1, -1]


def test_the_seed_alone_decides():
    labels = np.repeat([0, 1, 2], 40)
    groups = np.arange(120) // 2
    first, again, other = (grouped_folds(labels, groups, folds=5, seed=s) for s in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_class_with_fewer_groups_than_folds_is_refused_with_a_way_out():
    labels = np.array([0] * 10 + [3] * 4)
    groups = np.array([*range(10), 10, 11, 11, 11])
    message = r"Class 3 has 4 training images in 2 groups .* to 3 folds\. Give at most 2 folds"
    with pytest.raises(TrainingError, match=message):
        grouped_folds(labels, groups, folds=3, seed=0)
    assert set(grouped_folds(labels, groups, folds=2, seed=0)[-4:]) == {0, 1}


@pytest.mark.parametrize(("folds", "groups"), [(1, 4), (2, 3)])
def test_arguments_that_do_not_fit_are_refused(folds, groups):
    with pytest.raises(ValueError, match="at least 2 folds"):
        grouped_folds(np.zeros(4, dtype=np.int64), np.arange(groups), folds=folds, seed=0)


def test_the_competitions_size_takes_about_a_second():
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.repeat(np.arange(5), COMPETITION))
    groups = rng.integers(0, 600_000, size=len(labels))
    begin = time.process_time()
    folds = grouped_folds(labels, groups, folds=10, seed=0)
    assert time.process_time() - begin < 5
    assert imbalance(labels, folds, 10) < 0.005
