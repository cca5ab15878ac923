"""Every mistake that the model can explain to its user.

ModelError
├── ConfigError        a recipe, or a field of one, that cannot be used
├── WeightsError       pretrained weights that cannot be had, or do not fit the backbone
├── CheckpointError    a folder that is no checkpoint, or one that is not complete
├── TrainingError      training data, or a loss, with which training cannot go on
└── RankDied           one of the parallel processes stopped before the training was done
"""


class ModelError(Exception):
    """A mistake that the message explains: what happened, what was expected, what to do next."""


class ConfigError(ModelError):
    """A recipe, or a field of one, that cannot be used."""


class WeightsError(ModelError):
    """Pretrained weights that cannot be had, or do not fit the backbone."""


class CheckpointError(ModelError):
    """A folder that is no checkpoint, or one that is not complete."""


class TrainingError(ModelError):
    """Training data, or a loss, with which training cannot go on."""


class RankDied(ModelError):
    """One of the parallel processes stopped before the training was done."""
