import numpy as np
import pytest

from model.exploration.statistics import BINS, category_table, distribution


def test_a_distribution_is_described_without_what_is_unknown():
    found = distribution(np.array([0, 10, 20, 30, 40, 50]))
    assert found is not None
    assert (found.least, found.mean, found.most) == (10, 30, 50)
    assert found.quartiles == (20, 30, 40)
    assert found.counts.sum() == 5
    assert len(found.edges) == BINS + 1
    assert np.diff(found.edges) == pytest.approx(40 / BINS)


def test_a_long_tail_is_shown_on_a_logarithmic_scale_with_nobody_left_out():
    values = np.array([3, 10, 10, 12, 15, 997])
    found = distribution(values)
    assert found is not None
    ratios = found.edges[1:] / found.edges[:-1]
    assert ratios == pytest.approx(ratios[0])
    assert found.counts.sum() == len(values)


def test_equal_values_and_no_value_are_no_trouble():
    found = distribution(np.array([7, 7]))
    assert found is not None
    assert found.counts.sum() == 2
    assert distribution(np.array([0, 0])) is None


CATEGORIES = [("식품", "과일"), ("식품", "과일"), ("옷", "과일"), ("식품", ""), (), ("식품", "차")]


def test_classes_are_counted_by_category_the_most_frequent_first():
    labels = np.array([0, 2, 1, 0, 1, 1])
    table = category_table(CATEGORIES, labels, num_classes=3, level=1, most=1)
    assert table.paths == [("식품",)]
    assert table.counts.tolist() == [[2, 1, 1]]
    assert table.others.tolist() == [0, 1, 0]
    assert table.distinct == 2


def test_equal_names_under_different_parents_are_different_categories():
    labels = np.array([0, 2, 1, 0, 1, 1])
    table = category_table(CATEGORIES, labels, num_classes=3, level=2, most=9)
    assert table.paths == [("식품", "과일"), ("옷", "과일"), ("식품", "차")]
    assert table.counts.tolist() == [[1, 0, 1], [0, 1, 0], [0, 1, 0]]
    assert table.others.tolist() == [0, 0, 0]


def test_no_category_makes_an_empty_table():
    table = category_table([(), ()], np.array([0, 1]), num_classes=2, level=1, most=5)
    assert table.paths == []
    assert table.others.tolist() == [0, 0]
