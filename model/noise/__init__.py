"""Which labels are wrong: rules on numbers, without torch.

Every rule takes labels [N] and out-of-fold class probabilities [N, K].
"""

from model.noise.confident import FILTER_BY, confident_learning
from model.noise.issues import find_label_issues, label_quality
from model.noise.ranking import SCORES, rank_labels

__all__ = [
    "FILTER_BY",
    "SCORES",
    "confident_learning",
    "find_label_issues",
    "label_quality",
    "rank_labels",
]
