"""A recipe: the complete, frozen description of one training.

Every field states its unit or meaning below it, its default and its legal values in place; a recipe
with an illegal value cannot be made.
"""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from typing import Any

from model.errors import ConfigError

BFLOAT16, FLOAT32, AUTO = "bf16", "fp32", "auto"
"""Values of `Recipe.precision`."""
ADAMW, SGD = "adamw", "sgd"
"""Values of `Recipe.optimizer`."""
NONE = "none"
"""Value of several fields that switches a technique off."""
RANDOM_RESIZED_CROP, CENTER_CROP = "random_resized_crop", "center_crop"
RESIZE, PAD = "resize", "pad"
"""Values of `Recipe.framing` and `Recipe.eval_framing`."""
COSINE, STEPS, CYCLES = "cosine", "steps", "cycles"
"""Values of `Recipe.schedule`."""
CROSS_ENTROPY, DOUBLE_SOFTMAX, FOCAL = "cross_entropy", "double_softmax", "focal"
GCE, BI_TEMPERED, ELR, NEGATIVE = "gce", "bi_tempered", "elr", "negative"
"""Values of `Recipe.loss`."""
LOSSES = (CROSS_ENTROPY, DOUBLE_SOFTMAX, FOCAL, GCE, BI_TEMPERED, ELR, NEGATIVE)
CUTMIX, MIXUP = "cutmix", "mixup"
"""Values of `Recipe.mixing`."""
ONE_HOT, EMBEDDING = "one_hot", "embedding"
"""Values of `Recipe.category_encoding`."""
MASK, LOG_ODDS = "mask", "log_odds"
"""Values of `Recipe.category_prior`."""
ARITHMETIC, GEOMETRIC = "arithmetic", "geometric"
"""Values of `Recipe.ensemble_mean`."""
EQUAL, OUT_OF_FOLD = "equal", "out_of_fold"
"""Values of `Recipe.ensemble_weights`."""
ARGMAX, GMEAN_F1 = "argmax", "gmean_f1"
"""Values of `Recipe.decision_rule`."""
FILTERS = (
    *("self", "o2u", "nlnl", "aum", "elr", "self_training"),
    *("confident_learning", "label_issues"),
)
"""Values of `Recipe.noise_filter`, besides "none"."""
CROSS_CHECKED = ("confident_learning", "label_issues")
"""Those that judge every label by a network that never saw it."""
NARROW = "narrow"
"""Value of `Recipe.backbone` that means the small network of `networks/narrow.py`."""


def within(default: float, low: float, high: float) -> Any:
    """Field of a number with its legal range, both ends included."""
    return field(default=default, metadata={"low": low, "high": high})


def one_of(default: str, *choices: str) -> Any:
    """Field of a word with its legal values."""
    return field(default=default, metadata={"choices": choices})


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out of a training, apart from the data."""

    name: str = "unnamed"
    """Name of the recipe this one began as, for people."""
    seed: int = within(0, 0, 2**31 - 1)
    """Decides every random choice: weights, hold-out, order, crops, flips, dropout."""

    backbone: str = "efficientnet_b1"
    """Name of a timm model, optionally with ".tag"; "narrow" is our own small network."""
    narrow_width: int = within(24, 4, 256)
    """Channels of the first layer of "narrow"; other backbones ignore it."""
    pretrained: bool = True
    """Start the backbone from published weights (timm online, or a weights file)."""
    hidden_size: int = within(512, 1, 8192)
    """Units of the perceptron's hidden layer."""
    drop_rate: float = within(0.0, 0.0, 0.95)
    """Dropout before the logits: share of hidden units, 0..0.95."""
    drop_path_rate: float = within(0.0, 0.0, 0.95)
    """Stochastic depth of a timm backbone: share of blocks at the deepest layer, 0..0.95."""
    category_levels: int = within(2, 0, 4)
    """Levels of the product category the network sees, broadest first; 0 uses none."""
    category_dropout: float = within(0.0, 0.0, 1.0)
    """Share of training examples whose category is shown as "unknown", 0..1.

    A little teaches the network what to do with a category it has never met. Half or more keeps
    it from learning wrong labels by heart from category and picture together.
    """

    category_encoding: str = one_of(ONE_HOT, ONE_HOT, EMBEDDING)
    """How the network sees a category: as one-hot, or as a learned vector."""
    category_embedding: int = within(18, 1, 1024)
    """Length of that vector, per level."""
    category_min_count: int = within(1, 1, 1_000_000)
    """Training examples below which a category counts as unknown, so that its parent speaks."""
    category_prior: str = one_of(NONE, NONE, MASK, LOG_ODDS)
    """Use p(class | category) counted on the training labels: "mask" rules classes out that it
    makes implausible, "log_odds" adds log p(class | category) - log p(class) to the logits."""
    prior_smoothing: float = within(10.0, 1e-3, 1e6)
    """Examples' worth of the parent category's prior that every category starts from."""
    prior_strength: float = within(1.0, 0.0, 10.0)
    """Factor on the log-odds."""
    prior_threshold: float = within(0.02, 0.0, 0.5)
    """Probability below which "mask" rules a class out."""

    image_size: int = within(224, 16, 1024)
    """Side of the square network input, pixels."""
    framing: str = one_of(RANDOM_RESIZED_CROP, RANDOM_RESIZED_CROP, RESIZE, PAD, CENTER_CROP)
    """What training shows of a picture: a random crop, all of it squeezed into a square, all of it
    padded to a square, or its centre."""
    eval_framing: str = one_of(CENTER_CROP, CENTER_CROP, RESIZE, PAD)
    """What validation and inference show of a picture."""
    pixel_statistics: str = one_of("published", "published", NONE)
    """"published" normalises with the backbone's own mean and deviation, "none" only to 0..1."""
    crop_scale: float = within(0.25, 0.01, 1.0)
    """Smallest share of the picture's area that a training crop keeps, 0.01..1."""
    crop_ratio: float = within(4 / 3, 1.0, 4.0)
    """Longest width:height of a training crop; its inverse is the shortest."""
    flip_prob: float = within(0.5, 0.0, 1.0)
    """Share of training examples that are mirrored left to right, 0..1."""
    vertical_flip_prob: float = within(0.0, 0.0, 1.0)
    """Share of training examples that are turned upside down, 0..1."""
    color_jitter: float = within(0.0, 0.0, 1.0)
    """Strength of random brightness, contrast and saturation, 0..1; a quarter of it for hue."""
    blur_prob: float = within(0.0, 0.0, 1.0)
    """Share of training examples that are blurred (Gaussian), 0..1."""
    channel_dropout_prob: float = within(0.0, 0.0, 1.0)
    """Share of training examples that lose a colour channel, 0..1."""
    coarse_dropout_prob: float = within(0.0, 0.0, 1.0)
    """Share of training examples with rectangles blanked out, 0..1."""
    auto_augment: str = one_of(NONE, NONE, "imagenet", "cifar10")
    """Learned augmentation policy."""
    tta: str = one_of(NONE, NONE, "flip", "multi_crop")
    """Test-time augmentation: also the mirrored picture, or the four corners and the centre,
    each also mirrored; probabilities are averaged."""
    eval_crop: float = within(0.95, 0.1, 1.0)
    """Side of the centred evaluation crop as a share of the picture's short side, 0.1..1."""

    label_smoothing: float = within(0.0, 0.0, 0.9)
    """Target mass that is spread evenly over all classes, 0..0.9."""
    logit_adjustment: float = within(0.0, 0.0, 2.0)
    """Strength tau of the class-balanced loss; 0 is plain cross-entropy, 1 fully balanced.

    Training adds tau * log(share of the class) to the logits, so that at inference rare
    classes are not pushed aside (Menon et al., 2021).
    """

    smoothing_plausible: float = within(1.0, 1.0, 100.0)
    """How much more of the smoothing mass a class gets that is plausible for the category."""
    loss: str = one_of(CROSS_ENTROPY, *LOSSES)
    """What is minimised; the names are explained in `model/losses/`."""
    focal_gamma: float = within(2.0, 0.0, 10.0)
    """Focusing exponent of "focal"."""
    gce_q: float = within(0.7, 0.01, 1.0)
    """Exponent q of "gce": towards 0 cross-entropy, 1 mean absolute error."""
    bi_tempered_t1: float = within(0.8, 0.0, 1.0)
    """Temperature of the logarithm of "bi_tempered": below 1 bounds the loss."""
    bi_tempered_t2: float = within(1.2, 1.0, 4.0)
    """Temperature of the softmax of "bi_tempered": above 1 gives heavy tails."""
    elr_strength: float = within(3.0, 0.0, 100.0)
    """Weight lambda of the early-learning term of "elr"."""
    elr_memory: float = within(0.7, 0.0, 0.999)
    """Share beta of its old target that an example keeps per visit, for "elr"."""
    consistency: float = within(0.0, 0.0, 1000.0)
    """Weight of the squared difference to the moving average's predictions (mean teacher);
    examples without a label take part in it."""
    consistency_epochs: float = within(3.0, 0.0, 1000.0)
    """Epochs over which that weight ramps up."""
    mixing: str = one_of(NONE, NONE, CUTMIX, MIXUP)
    """Blend pairs of training examples."""
    mixing_alpha: float = within(1.0, 0.01, 100.0)
    """Both shape parameters of the beta distribution of the blend's share."""
    mixing_prob: float = within(0.5, 0.0, 1.0)
    """Share of the batches that are blended, 0..1."""
    balance: float = within(0.0, 0.0, 1.0)
    """Power a of the sampler: an example of a class of n_k is drawn with weight n_k^-a. 0 visits
    every example once an epoch, 1 shows all classes equally often."""

    optimizer: str = one_of(ADAMW, ADAMW, SGD)
    """"adamw", or "sgd" with Nesterov momentum."""
    learning_rate: float = within(5e-4, 1e-8, 100.0)
    """Peak learning rate, reached at the end of the warm-up."""
    final_learning_rate: float = within(0.01, 0.0, 1.0)
    """Learning rate at the very end as a share of the peak, 0..1."""
    schedule: str = one_of(COSINE, COSINE, STEPS, CYCLES)
    """After the warm-up: half a cosine, a factor every few epochs, or a saw-tooth."""
    decay_epochs: int = within(10, 1, 100_000)
    """Epochs between two drops of "steps", or of one tooth of "cycles"."""
    decay_factor: float = within(0.9, 0.0, 1.0)
    """What the rate is multiplied by at a drop of "steps"."""
    momentum: float = within(0.9, 0.0, 0.999)
    """Momentum of "sgd"; "adamw" ignores it."""
    weight_decay: float = within(0.02, 0.0, 10.0)
    """Decoupled (adamw) or L2 (sgd) decay of matrices and filters; never of biases and norms."""
    batch_size: int = within(128, 2, 65536)
    """Examples per optimizer step, over all ranks together."""
    epochs: int = within(20, 1, 100_000)
    """Passes over the training share."""
    warmup_epochs: float = within(1.0, 0.0, 1000.0)
    """Epochs of linear warm-up; fractions are meant."""
    clip_grad_norm: float = within(5.0, 0.0, 1e6)
    """Longest gradient (Euclidean norm over all weights); 0 never clips."""
    ema_decay: float = within(0.999, 0.0, 0.999999)
    """Decay per step of the moving average of the weights that inference uses; 0 keeps the last."""
    swa_epochs: int = within(0, 0, 100_000)
    """Last epochs whose final weights are averaged evenly, in place of the moving average."""
    head_epochs: int = within(0, 0, 100_000)
    """First epochs in which only the head learns."""
    start_size: int = within(0, 0, 1024)
    """Input side of the first epoch, growing to image_size in the middle; 0 starts with it."""
    finetune_epochs: int = within(0, 0, 100_000)
    """Last epochs, trained at finetune_size and a lower rate."""
    finetune_size: int = within(0, 0, 1024)
    """Input side of these epochs and of inference; 0 keeps image_size."""
    finetune_rate: float = within(0.2, 0.0, 1.0)
    """Factor on the learning rate in these epochs."""
    patience: int = within(0, 0, 100_000)
    """Epochs without a better validation score after which training stops; 0 never stops early."""
    valid_share: float = within(0.1, 0.01, 0.5)
    """Share of each class that is held out for validation, 0.01..0.5."""

    folds: int = within(1, 1, 1000)
    """Parts of a cross-validation; 1 holds out `valid_share` once."""
    folds_trained: int = within(0, 0, 1000)
    """How many of the folds are trained; 0 trains all."""
    member_folds: int = within(0, 0, 1000)
    """How many of these the final networks hold out in turn; 0 takes all that are trained."""
    group_duplicates: bool = True
    """Keep near-duplicate pictures in one fold."""
    noise_filter: str = one_of(NONE, NONE, *FILTERS)
    """Which labels are dropped or changed before the final training; see `model/filters/`."""
    filter_rounds: int = within(2, 1, 100)
    """Most rounds of the filters that repeat themselves; models of those that cross-check."""
    filter_members: bool = False
    """Whether the networks that judged the labels join the ensemble: they are trained already, and
    learned all labels. For the filters that judge every label by a network that never saw it."""
    filter_epochs: int = within(0, 0, 100_000)
    """Epochs of a training that serves the filter; 0 takes `epochs`."""
    filter_share: float = within(0.0, 0.0, 0.9)
    """Share that "o2u" drops, 0..0.9; 0 lets it estimate one."""
    image_sizes: str = ""
    """Ensemble over input sides, for example "192,224,256"; empty takes image_size."""
    backbones: str = ""
    """Ensemble over backbones, for example "efficientnet_b1,resnet50"; empty takes backbone."""
    seeds: int = within(1, 1, 1000)
    """Ensemble over so many seeds, beginning with `seed`."""
    ensemble_mean: str = one_of(ARITHMETIC, ARITHMETIC, GEOMETRIC)
    """How members' probabilities are averaged."""
    ensemble_weights: str = one_of(EQUAL, EQUAL, OUT_OF_FOLD)
    """Members count equally, or as fits the out-of-fold predictions best."""
    decision_rule: str = one_of(ARGMAX, ARGMAX, GMEAN_F1)
    """Most probable class, or the class offsets that maximise the metric out of fold."""

    precision: str = one_of(AUTO, AUTO, FLOAT32, BFLOAT16)
    """"bf16" autocast, "fp32", or "auto": bf16 where this device is faster with it."""
    loader_workers: int = within(-1, -1, 256)
    """Threads that decode pictures, per rank; -1 uses the cores at hand. Never changes results."""
    cache: str = one_of(AUTO, AUTO, "off", "jpeg", "raw")
    """Smaller copies that training reads in place of the files: JPEG of 512 pixels, uncompressed of
    256, or "auto": JPEG where pictures are much larger, read repeatedly, and the disk has room."""

    decoder: str = one_of("cpu", "cpu", "gpu")
    """What decodes the files that training reads without a cache: the processor, or the GPU's
    nvJPEG where there is one."""

    def __post_init__(self) -> None:
        for item in fields(self):
            check_value(item, getattr(self, item.name))


def check_value(item: Field[Any], value: object) -> None:
    """Raise unless `value` is legal for the recipe field `item`.

    Raises:
        ConfigError: If it is of another type, outside the range, or none of the choices.
    """
    limits = item.metadata
    if "choices" in limits and value not in limits["choices"]:
        raise ConfigError(f"{item.name} is {value!r}; give one of {', '.join(limits['choices'])}.")
    if "low" not in limits:
        return
    low, high = limits["low"], limits["high"]
    whole = item.type == "int"
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        kind = "a whole number" if whole else "a number"
        raise ConfigError(f"{item.name} is {value!r}; give {kind} {low:g}..{high:g}.")
    # A NaN compares false with everything, so ask for what is wanted.
    if not low <= value <= high:
        raise ConfigError(f"{item.name} is {value:g}; give {low:g}..{high:g}.")
