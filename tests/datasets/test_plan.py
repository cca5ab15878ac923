from collections import Counter

import numpy as np
import pytest

from review_synthesis.catalog import (
    CLASS_NAMES,
    OTHER,
    SHARES,
    SWATCH,
    category_given_class,
    fine_categories,
    middle_categories,
)
from review_synthesis.difficulty import Difficulty
from review_synthesis.plan import class_shares, exact_counts, plan_reviews

COUNT = 6000
SHARES_OF_THE_TASK = (0.19, 0.14, 0.008, 0.06, 0.59)


@pytest.fixture(scope="module")
def train():
    return plan_reviews(1, "train", COUNT, class_shares("full", balanced=False), Difficulty())


def shares_of(labels):
    return np.bincount(labels, minlength=5) / len(labels)


def wrong(reviews):
    return [review for review in reviews if review.given != review.answer]


def test_true_classes_have_the_shares_of_the_task(train):
    assert shares_of([review.answer for review in train]) == pytest.approx(
        SHARES_OF_THE_TASK, abs=0.01
    )


def test_given_classes_have_them_too(train):
    assert shares_of([review.given for review in train]) == pytest.approx(
        SHARES_OF_THE_TASK, abs=0.01
    )


def test_a_rare_class_does_not_drown_in_wrong_labels():
    reviews = plan_reviews(1, "train", 20_000, SHARES, Difficulty())
    ticked = [review for review in reviews if review.given == SWATCH]
    right = [review for review in ticked if review.answer == SWATCH]
    assert len(right) / len(ticked) > 0.75


def test_the_demo_raises_the_rarest_class_only():
    demo = class_shares("demo", balanced=False)
    assert demo[SWATCH] == 0.03
    assert sum(demo) == pytest.approx(1)
    others = [label for label in range(5) if label != SWATCH]
    ratios = [demo[label] / SHARES[label] for label in others]
    assert ratios == pytest.approx([ratios[0]] * 4)


def test_balanced_classes_are_equal():
    reviews = plan_reviews(1, "test", 500, class_shares("demo", balanced=True), Difficulty())
    assert Counter(review.answer for review in reviews) == dict.fromkeys(range(5), 100)


def test_counts_add_up_and_stay_within_one_of_their_share():
    for count in (50, 51, 499, 4000):
        counts = exact_counts(count, SHARES)
        assert counts.sum() == count
        assert np.abs(counts - count * np.array(SHARES) / sum(SHARES)).max() < 1


def test_a_tenth_of_the_training_labels_is_wrong(train):
    assert len(wrong(train)) / COUNT == pytest.approx(0.10, abs=0.015)


def test_no_test_label_is_wrong():
    for split in ("test", "test_submit"):
        assert wrong(plan_reviews(1, split, 2000, SHARES, Difficulty())) == []


def test_most_wrong_labels_confuse_a_named_class_with_none_of_these(train):
    mistakes = wrong(train)
    with_other = [review for review in mistakes if OTHER in (review.given, review.answer)]
    assert len(with_other) / len(mistakes) > 0.85
    from_other = [review for review in mistakes if review.answer == OTHER]
    assert len(from_other) / len(mistakes) == pytest.approx(0.5, abs=0.07)


def test_doubtful_pictures_are_mislabelled_more_often(train):
    doubt = np.array([review.doubt for review in train])
    flipped = np.array([review.given != review.answer for review in train])
    order = np.argsort(doubt)
    plain, doubtful = flipped[order[: COUNT // 4]], flipped[order[-COUNT // 4 :]]
    assert doubtful.mean() > 2 * plain.mean()


def test_wrong_labels_go_to_the_class_the_category_makes_plausible(train):
    admits = {category.name: category.admits for category in middle_categories()}
    plausible = [review.given in admits[review.categories[1]] for review in wrong(train)]
    assert np.mean(plausible) > 0.75


def test_without_noise_all_labels_are_right():
    clean = plan_reviews(1, "train", 500, SHARES, Difficulty(noise=0.0))
    assert wrong(clean) == []


def test_every_review_has_a_class_its_category_admits(train):
    admits = {category.name: category.admits for category in middle_categories()}
    assert all(review.answer in admits[review.categories[1]] for review in train)


def test_none_of_these_occurs_in_every_large_category(train):
    seen = {review.categories[0] for review in train if review.answer == OTHER}
    assert seen == {category.large for category in middle_categories()}


def test_categories_have_the_numbers_of_the_real_shop():
    categories = middle_categories()
    middle = Counter(category.large for category in categories)
    assert list(middle.values()) == [16, 4, 17, 13, 1, 32, 2, 33]
    assert len({category.name for category in categories}) == 118
    pairs = [pair for pairs in fine_categories() for pair in pairs]
    assert len({third for third, _ in pairs}) == 812
    assert len({fourth for _, fourth in pairs}) == len(pairs) == 1207


def test_most_middle_categories_admit_one_class_besides_none_of_these():
    sizes = Counter(len(category.admits) for category in middle_categories())
    assert set(sizes) == {1, 2, 3}
    assert sizes[2] > 60
    assert category_given_class().shape == (len(CLASS_NAMES), 118)


def test_a_larger_category_tells_much_but_not_everything(train):
    by_category = Counter((review.categories[1], review.answer) for review in train)
    best = Counter()
    for (category, _), count in by_category.items():
        best[category] = max(best[category], count)
    assert 0.6 < sum(best.values()) / COUNT < 0.85


def test_names_are_never_used_twice(train):
    test = plan_reviews(1, "test", COUNT, SHARES, Difficulty())
    assert len({review.image_name for review in [*train, *test]}) == 2 * COUNT
