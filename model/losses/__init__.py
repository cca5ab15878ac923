"""What a training minimises: targets, losses of single examples, and the choice between them.

Every loss takes logits [B, K] and class probabilities [B, K] and returns one number per example,
float32 [B]. A row of zeros among the targets means "label unknown": no loss and no gradient.
"""

from model.losses.bi_tempered import bi_tempered_loss
from model.losses.choice import LossFunction, build_loss
from model.losses.early_learning import EarlyLearning
from model.losses.negative import NegativeLearning
from model.losses.robust import double_softmax_loss, focal_loss, generalized_cross_entropy
from model.losses.soft_targets import class_offsets, soft_cross_entropy, soft_targets

__all__ = [
    "EarlyLearning",
    "LossFunction",
    "NegativeLearning",
    "bi_tempered_loss",
    "build_loss",
    "class_offsets",
    "double_softmax_loss",
    "focal_loss",
    "generalized_cross_entropy",
    "soft_cross_entropy",
    "soft_targets",
]
