"""Which part of a picture the network sees, and what training changes about an example.

Every random choice is hashed from seed, epoch and example: see `model.seeding`.
"""

from model.augment.blur import gaussian_blur
from model.augment.categories import hide_categories
from model.augment.chain import augment_batch
from model.augment.colour import color_jitter
from model.augment.erasing import channel_dropout, coarse_dropout
from model.augment.framing import CenterCrop, Pad, RandomCrop, Resize, fixed_framing, framing_of
from model.augment.mirror import flip, flip_mask, vertical_flip
from model.augment.policy import auto_augment
from model.augment.visit import Visit

__all__ = [
    "CenterCrop",
    "Pad",
    "RandomCrop",
    "Resize",
    "Visit",
    "augment_batch",
    "auto_augment",
    "channel_dropout",
    "coarse_dropout",
    "color_jitter",
    "fixed_framing",
    "flip",
    "flip_mask",
    "framing_of",
    "gaussian_blur",
    "hide_categories",
    "vertical_flip",
]
