"""Noise filters: which labels shall be learnt, found by trainings of their own.

    material ─► trainings (Trainer) ─► rule (model.noise) ─► FilterRecord

A filter keeps no state: a campaign that was interrupted replays its finished trainings.
"""

from collections.abc import Callable

from model.config import Recipe
from model.filters.aum import aum
from model.filters.cross_checked import confident_learning, label_issues
from model.filters.early_learning import early_learning
from model.filters.nlnl import nlnl
from model.filters.o2u import o2u
from model.filters.self_ensemble import self_ensemble
from model.filters.self_training import self_training
from model.job import Material, Trainer
from model.noise.record import FilterRecord

Filter = Callable[[Recipe, Material, Trainer], FilterRecord]

FILTERS: dict[str, Filter] = {
    "self": self_ensemble,
    "o2u": o2u,
    "nlnl": nlnl,
    "aum": aum,
    "elr": early_learning,
    "self_training": self_training,
    "confident_learning": confident_learning,
    "label_issues": label_issues,
}
"""Every filter by its name in `Recipe.noise_filter`."""
