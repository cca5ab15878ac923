from pathlib import Path

import numpy as np
import pytest

from model.exploration.predictions import Predictions
from model.exploration.survey import Gallery
from model.exploration.suspects import (
    CATEGORY,
    DUPLICATE,
    MODEL,
    Suspect,
    category_suspects,
    duplicate_suspects,
    find_suspects,
    predicted_suspects,
)
from model.noise import find_label_issues, label_quality
from model.pixels.loader import PictureFiles


def gallery_of(labels, categories=None, num_classes=3):
    labels = np.asarray(labels)
    names = [f"{i}.jpg" for i in range(len(labels))]
    files = PictureFiles(Path("nowhere"), names, labels)
    classes = tuple("abcdefgh"[:num_classes])
    return Gallery(files, categories or [()] * len(labels), classes)


def noisy(count=600, wrong=30, seed=0):
    """True and given labels, and probabilities that know the true ones."""
    rng = np.random.default_rng(seed)
    true = rng.integers(0, 3, size=count)
    given = true.copy()
    given[:wrong] = (true[:wrong] + 1) % 3
    logits = rng.normal(size=(count, 3)) + 4 * np.eye(3)[true]
    probs = np.exp(logits)
    return true, given, probs / probs.sum(axis=1, keepdims=True)


def test_labels_that_the_predictions_contradict_are_suspects_the_worst_first():
    true, given, probs = noisy()
    gallery = gallery_of(given)
    found = predicted_suspects(gallery, Predictions(gallery.names, probs))
    flagged = np.flatnonzero(find_label_issues(given, probs))
    assert sorted(s.position for s in found) == flagged.tolist()
    assert len(found) >= 20
    quality = label_quality(given, probs)
    assert [s.score for s in found] == sorted(float(quality[i]) for i in flagged)
    assert all(s.suggested != s.given == given[s.position] for s in found)
    right = [s.suggested == true[s.position] for s in found if s.position < 30]
    assert np.mean(right) > 0.9


def test_predictions_are_matched_by_name_and_pictures_without_one_are_not_judged():
    _, given, probs = noisy()
    gallery = gallery_of(given)
    order = np.random.default_rng(1).permutation(len(given))[:500]
    shuffled = Predictions([gallery.names[i] for i in order], probs[order])
    found = predicted_suspects(gallery, shuffled)
    kept = np.sort(order)
    flagged = kept[find_label_issues(given[kept], probs[kept])]
    assert sorted(s.position for s in found) == flagged.tolist()
    assert predicted_suspects(gallery, Predictions(["x.jpg"], probs[:1])) == []


def test_the_copy_that_most_copies_contradict_is_the_suspect():
    labels = np.array([1, 1, 2, 1, 0, 0, 0, 2])
    found = duplicate_suspects(labels, [np.array([0, 1, 2, 3]), np.array([4, 5])])
    assert found == [Suspect(2, 2, 1, 0.25, DUPLICATE)]


def test_where_copies_disagree_evenly_all_are_suspects_without_a_suggestion():
    found = duplicate_suspects(np.array([1, 2]), [np.array([0, 1])])
    assert found == [Suspect(0, 1, None, 0.5, DUPLICATE), Suspect(1, 2, None, 0.5, DUPLICATE)]


def test_a_class_that_is_unheard_of_in_a_category_is_a_suspect_with_the_usual_class_suggested():
    food, lips = ("식품", "과일"), ("화장품", "립")
    labels = [0] * 400 + [1] + [1] * 400
    found = category_suspects(gallery_of(labels, [food] * 401 + [lips] * 400))
    (suspect,) = found
    assert (suspect.position, suspect.given, suspect.suggested) == (400, 1, 0)
    # Without itself: no picture of class 1 in its category, whose parent, the broad one, has none
    # either, and leans on 400 of 800 pictures (and one of each class to start from).
    root = (400 + 1 / 3) / 801
    expected = 10 / 410 * (10 / 410 * root)
    assert suspect.score == pytest.approx(expected, rel=1e-3)
    assert suspect.reason == CATEGORY


def test_without_categories_nothing_is_suspected_for_them():
    assert category_suspects(gallery_of([0, 1, 2])) == []


def test_a_picture_is_listed_once_with_its_strongest_reason():
    _, given, probs = noisy()
    categories = [("식품", "과일")] * 600
    gallery = gallery_of(given, categories)
    repeated = [np.array([0, 100, 101])]
    judged = find_suspects(gallery, repeated, Predictions(gallery.names, probs))
    assert len({s.position for s in judged}) == len(judged)
    assert {s.reason for s in judged} <= {MODEL, DUPLICATE}
    assert next(s for s in judged if s.position == 0).reason == MODEL
    unjudged = find_suspects(gallery, repeated, None)
    assert {s.reason for s in unjudged} <= {DUPLICATE, CATEGORY}
