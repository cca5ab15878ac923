import numpy as np
import pytest

from model.noise import SCORES, rank_labels

LABELS = np.array([0, 1])
PROBS = np.array([[0.5, 0.3, 0.2], [0.6, 0.1, 0.3]])


def test_scores_are_those_computed_by_hand():
    assert rank_labels(LABELS, PROBS) == pytest.approx([0.5, 0.1])
    assert rank_labels(LABELS, PROBS, score="normalized_margin") == pytest.approx([0.6, 0.25])
    entropy = -(PROBS * np.log(PROBS)).sum(axis=1) / np.log(3)
    ratio = entropy / np.array([0.5, 0.1])
    scores = rank_labels(LABELS, PROBS, score="confidence_weighted_entropy")
    assert scores == pytest.approx(np.log1p(ratio) / ratio)


def test_adjusting_takes_the_mean_self_confidence_off_each_class():
    probs = np.array([[0.8, 0.2], [0.6, 0.4], [0.7, 0.3]])
    # Means .7 and .3; columns minus those plus .7: [.8, .6], [.6, .8], [.7, .7].
    scores = rank_labels([0, 0, 1], probs, adjust=True)
    assert scores == pytest.approx([0.8 / 1.4, 0.6 / 1.4, 0.5])


@pytest.mark.parametrize("score", SCORES)
def test_scores_are_cleanlab_s(noisy, score):
    cleanlab = pytest.importorskip("cleanlab.rank", reason="cleanlab is not installed")
    for adjust in (False, True) if score != "confidence_weighted_entropy" else (False,):
        expected = cleanlab.get_label_quality_scores(
            noisy.labels, noisy.pred_probs, method=score, adjust_pred_probs=adjust
        )
        # Two logarithms of single precision may differ in the last bit.
        scores = rank_labels(noisy.labels, noisy.pred_probs, score=score, adjust=adjust)
        assert scores == pytest.approx(expected, abs=1e-6)


def test_certainty_is_neither_a_warning_nor_a_number_outside_the_range():
    probs = np.eye(3)
    for score in SCORES:
        scores = rank_labels([0, 1, 0], probs, score=score)
        assert np.isfinite(scores).all()
        assert ((scores >= 0) & (scores <= 1)).all()


def test_what_does_not_apply_is_named():
    with pytest.raises(ValueError, match="not 'luck'"):
        rank_labels(LABELS, PROBS, score="luck")
    with pytest.raises(ValueError, match="adjust"):
        rank_labels(LABELS, PROBS, score="confidence_weighted_entropy", adjust=True)
