import json
from dataclasses import replace

import numpy as np
import pytest

from model.batch import UNKNOWN_LABEL
from model.config import LOG_ODDS, MASK, NONE
from model.prior import RULED_OUT, learn_prior

FOOD, BREAD, SOUP = ("food",), ("food", "bread"), ("food", "soup")
SHOES = ("fashion", "shoes")


def learn(categories, labels, *, smoothing=2.0, **options):
    options = {"num_classes": 2, "levels": 2, **options}
    return learn_prior(categories, np.array(labels), smoothing=smoothing, **options)


@pytest.fixture
def shop():
    """Three loaves, two of class 0; one soup and four shoes of class 1: 2 against 6."""
    return learn([BREAD] * 3 + [SOUP] + [SHOES] * 4, [0, 0, 1, 1, 1, 1, 1, 1])


@pytest.fixture
def lottery():
    """Many examples with random categories of four levels, 3 classes, some labels unknown."""
    rng = np.random.default_rng(0)
    draws = rng.integers(0, 3, size=(400, 4))
    categories = [tuple(f"{name}" for name in row) for row in draws]
    return categories, rng.integers(UNKNOWN_LABEL, 3, size=400)


def test_each_category_leans_on_its_parent_as_computed_by_hand(shop):
    root = np.array([(2 + 1 * 0.5) / (8 + 1), (6 + 1 * 0.5) / (8 + 1)])
    food = (np.array([2, 2]) + 2 * root) / (4 + 2)
    bread = (np.array([2, 1]) + 2 * food) / (3 + 2)
    soup = (np.array([0, 1]) + 2 * food) / (1 + 2)
    assert np.allclose(shop.class_shares, root)
    assert np.allclose(shop.probabilities([FOOD, BREAD, SOUP]), [food, bread, soup], atol=1e-7)


def test_a_category_that_was_never_met_is_its_deepest_known_ancestor(shop):
    new = [("food", "rice"), ("food", ""), ("toys", "bread"), ("",), (), ("", "bread")]
    food, root = shop.probabilities([FOOD])[0], shop.class_shares.astype(np.float32)
    assert np.array_equal(shop.probabilities(new), [food, food, root, root, root, root])


def test_equal_names_under_different_parents_share_nothing():
    prior = learn([("food", "etc."), ("toys", "etc.")] * 50, [0, 1] * 50)
    food, toys = prior.probabilities([("food", "etc."), ("toys", "etc.")])
    assert food[0] > 0.9
    assert toys[1] > 0.9


def test_rows_are_probabilities_and_no_class_is_impossible(lottery):
    categories, labels = lottery
    prior = learn(categories, np.minimum(labels, 1), num_classes=3, levels=4, smoothing=0.01)
    for probs in (prior.probabilities(categories), prior.leave_one_out(categories, labels)):
        assert probs.dtype == np.float32
        assert probs.shape == (400, 3)
        assert np.allclose(probs.sum(axis=1), 1, atol=1e-6)
        assert probs.min() > 0


def test_without_smoothing_it_is_the_share_and_with_much_it_is_the_root():
    categories, labels = [BREAD] * 3 + [SHOES] * 4, [0, 0, 1, 1, 1, 1, 1]
    little = learn(categories, labels, smoothing=1e-9).probabilities([BREAD, SHOES])
    assert np.allclose(little, [[2 / 3, 1 / 3], [0, 1]], atol=1e-6)
    much = learn(categories, labels, smoothing=1e12)
    assert np.allclose(much.probabilities([BREAD, SHOES]), much.class_shares, atol=1e-6)


def test_deeper_levels_than_asked_for_are_not_looked_at():
    deep = [(*BREAD, "rye"), (*BREAD, "oat")] * 20
    prior = learn(deep, [0, 1] * 20, levels=2)
    assert prior.paths == ((), FOOD, BREAD)
    rye, oat = prior.probabilities([(*BREAD, "rye"), (*BREAD, "oat")])
    assert np.array_equal(rye, oat)
    assert learn(deep, [0, 1] * 20, levels=0).paths == ((),)


def test_unknown_labels_do_not_count(shop):
    categories = [BREAD] * 3 + [SOUP] + [SHOES] * 4 + [SOUP, ("toys", "balls")]
    labels = [0, 0, 1, 1, 1, 1, 1, 1, UNKNOWN_LABEL, UNKNOWN_LABEL]
    assert learn(categories, labels) == shop
    nothing = learn([BREAD], [UNKNOWN_LABEL])
    assert np.array_equal(nothing.probabilities([BREAD]), [[0.5, 0.5]])
    assert learn([], np.array([], dtype=np.int64)).probabilities([]).shape == (0, 2)


def test_a_weight_counts_like_so_many_examples(shop):
    weights = np.array([2.0, 1.0, 1.0, 4.0, 0.0])
    labels = np.array([0, 1, 1, 1, 0])
    weighted = learn([BREAD, BREAD, SOUP, SHOES, SOUP], labels, weights=weights)
    assert weighted == shop


def test_leaving_one_out_is_learning_without_it(lottery):
    categories, labels = lottery
    weights = np.random.default_rng(1).uniform(0.1, 3.0, size=400)
    for extra in ({}, {"weights": weights}):
        options = {"num_classes": 3, "levels": 4, **extra}
        prior = learn(categories, labels, **options)
        found = prior.leave_one_out(categories, labels, extra.get("weights"))
        for example in range(0, 400, 40):
            others = labels.copy()
            others[example] = UNKNOWN_LABEL
            wanted = learn(categories, others, **options).probabilities([categories[example]])
            assert np.allclose(found[example], wanted[0], atol=1e-6)


def test_a_label_on_its_own_says_nothing_about_itself():
    # The only example of its category: what a new category under the same parent would get.
    prior = learn([BREAD] * 3 + [SOUP], [0, 0, 0, 1])
    alone = prior.leave_one_out([SOUP], np.array([1]))
    assert prior.probabilities([SOUP])[0, 1] > 2 * alone[0, 1]


def test_log_odds_turn_logits_of_the_picture_into_logits_of_both():
    # p(x | k) p(k | c) by Bayes' rule, for a picture that is independent of the category.
    prior = learn([FOOD] * 30 + [SHOES] * 10, [0] * 25 + [1] * 15, smoothing=5.0)
    likelihood = np.array([0.3, 0.05])
    of_picture = likelihood * prior.class_shares
    wanted = likelihood * prior.probabilities([FOOD])[0]
    found = np.log(of_picture) + prior.log_odds([FOOD], 1.0)[0]
    assert np.allclose(np.exp(found) / np.exp(found).sum(), wanted / wanted.sum())


def test_strength_scales_the_log_odds_and_an_unknown_category_has_none(shop):
    assert np.allclose(shop.log_odds([BREAD], 0.5), shop.log_odds([BREAD], 1.0) / 2)
    assert not shop.log_odds([(), ("toys",)], 1.0).any()
    assert shop.log_odds([BREAD], 1.0).dtype == np.float32


def test_the_mask_rules_out_what_a_category_makes_rare():
    # Class 2 is everywhere rare: in fashion it is as rare as ever, in food it does not occur.
    fashion, food = ["fashion"] * 500, ["food"] * 500
    labels = [0] * 245 + [1] * 245 + [2] * 10 + [1] * 500
    prior = learn([(name,) for name in fashion + food], labels, num_classes=3, levels=1)
    seen = [("fashion",), ("food",), ("toys",)]
    assert prior.class_shares[2] < 0.02
    assert prior.plausibility(seen, 0.02).tolist() == [[True] * 3, [False, True, False], [True] * 3]
    assert prior.mask(seen, 0.02)[1].tolist() == [RULED_OUT, 0, RULED_OUT]
    assert prior.mask(seen, 0.02).dtype == np.float32


def test_a_ruled_out_class_keeps_a_probability_with_a_logarithm(shop):
    mask = learn([BREAD] * 999 + [SHOES] * 999, [0] * 999 + [1] * 999).mask([BREAD], 0.1)
    odds = np.exp(np.float32(20) + mask[0], dtype=np.float32)
    assert 0 < odds[1] < 1e-15


@pytest.mark.parametrize("threshold", [0.0, 0.02, 0.5, 1.0])
def test_a_mask_leaves_the_most_probable_class(lottery, threshold):
    categories, labels = lottery
    prior = learn(categories, labels, num_classes=3, levels=4)
    plausible = prior.plausibility(categories, threshold)
    best = prior.probabilities(categories).argmax(axis=1)
    assert plausible[np.arange(400), best].all()
    assert plausible.all() == (threshold == 0)


def test_the_most_probable_class_of_a_category_makes_sense_also_where_it_is_rarer_than_usual():
    labels = [0] * 900 + [0] * 40 + [1] * 30 + [2] * 30
    prior = learn([("toys",)] * 900 + [FOOD] * 100, labels, num_classes=3, levels=1)
    assert prior.probabilities([FOOD])[0, 0] < prior.class_shares[0] / 2
    assert prior.plausibility([FOOD], 0.9).all()


def test_a_category_ends_at_its_first_empty_name():
    prior = learn([("food", "", "rye"), ("food", "")], [0, 1], levels=3)
    assert prior.paths == ((), FOOD)


def test_a_recipe_adds_log_odds_always_and_the_mask_to_finished_networks_only(recipe, shop):
    categories, labels = [BREAD, SHOES], np.array([0, 1])
    recipe = replace(recipe, prior_strength=0.7, prior_threshold=0.3)

    def terms(kind, **options):
        return shop.logit_terms(replace(recipe, category_prior=kind), categories, **options)

    odds, mask = shop.log_odds(categories, 0.7), shop.mask(categories, 0.3)
    assert mask.any()
    assert np.array_equal(terms(LOG_ODDS, training=False), odds)
    assert np.array_equal(terms(LOG_ODDS, training=True), odds)
    assert np.array_equal(terms(MASK, training=False), mask)
    for silent in (terms(MASK, training=True), terms(NONE, training=False)):
        assert silent.shape == (2, 2)
        assert silent.dtype == np.float32
        assert not silent.any()
    left_out = shop.log_odds(categories, 0.7, labels)
    assert not np.allclose(left_out, odds)
    assert np.array_equal(terms(LOG_ODDS, training=True, labels=labels), left_out)
    assert np.array_equal(terms(LOG_ODDS, training=False, labels=labels), odds)


def test_a_prior_survives_a_file(lottery):
    categories, labels = lottery
    weights = np.random.default_rng(2).uniform(size=400)
    prior = learn(categories, labels, num_classes=3, levels=3, weights=weights)
    copy = type(prior).from_json(json.loads(json.dumps(prior.to_json(), ensure_ascii=False)))
    assert copy == prior
    assert np.array_equal(copy.probabilities(categories), prior.probabilities(categories))


def test_the_order_of_the_examples_does_not_matter(lottery):
    categories, labels = lottery
    options = {"num_classes": 3, "levels": 4}
    assert learn(categories, labels, **options) == learn(categories[::-1], labels[::-1], **options)


@pytest.mark.parametrize(("smoothing", "label"), [(0.0, 1), (float("nan"), 1), (1.0, 2), (1.0, -2)])
def test_smoothing_and_labels_out_of_range_are_refused(smoothing, label):
    with pytest.raises(ValueError, match=r"must be (above 0|0\.\.1)"):
        learn([BREAD], [label], smoothing=smoothing)
