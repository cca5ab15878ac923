"""How large the ladder is: the same recipes and code, on more or fewer and larger pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Scale:
    """What a machine can train in sensible time."""

    generate: tuple[str, ...]
    """Options of the dataset generator."""
    resources: tuple[str, ...]
    """Options of `nsml run`."""
    at_once: int
    """Sessions that run side by side."""
    overrides: Mapping[str, object] = field(default_factory=dict[str, object])
    """Recipe fields that differ from the recipes as they stand, on every rung."""
    rung_overrides: Mapping[str, Mapping[str, object]] = field(
        default_factory=dict[str, Mapping[str, object]]
    )
    """Further fields of single rungs; every rung inherits those of the rungs before it."""
    controls: Mapping[str, tuple[str, Mapping[str, object]]] = field(
        default_factory=dict[str, tuple[str, Mapping[str, object]]]
    )
    """No rungs of their own, but a rung with further fields: what a gain is worth beside it."""

    def recipe_of(self, name: str) -> str:
        """Recipe of a rung or a control."""
        return self.controls[name][0] if name in self.controls else name

    def overrides_of(self, name: str) -> list[str]:
        """Options of `main.py` for one rung or control."""
        recipe, further = self.controls.get(name, (name, {}))
        fields = dict(self.overrides)
        for rung, changed in self.rung_overrides.items():
            fields.update(changed)
            if rung == recipe:
                break
        fields.update(further)
        options: list[str] = []
        for name, value in fields.items():
            options += ["--set", f"{name}={value}"]
        return options


SMALL_NETWORK = {
    "backbone": "narrow",
    "narrow_width": 16,
    "pretrained": "false",
    "hidden_size": 128,
    "drop_rate": 0.0,
    "image_size": 48,
    "crop_scale": 0.5,
    "eval_crop": 1.0,
    "batch_size": 64,
    "epochs": 6,
}
"""A network from scratch that a CPU trains in a minute."""

WELL_TRAINED = {"mixing": "none", "crop_scale": 0.9, "weight_decay": 0.5}
"""What suits it when it learns for more than six epochs; not what suits a pretrained one."""

SCALES = {
    "cpu": Scale(
        generate=("--scale", "demo"),
        resources=("-c", "1"),
        at_once=2,
        overrides=SMALL_NETWORK,
        rung_overrides={
            "baseline_resnet50": {"epochs": 16},
            "effnet_b1_balanced": {"learning_rate": 0.02, "epochs": 6, "ema_decay": 0.99},
            "rrc_smooth_cutmix": {},
            "metadata": {},
            "self_filtered": {"folds_trained": 3, "filter_rounds": 1},
            "plain_sampler_low_lr": {"learning_rate": 0.002, "patience": 0},
            "winners_ensemble": {"member_folds": 3, "image_sizes": "48,56"},
            "final": {
                **{"folds_trained": 0, "member_folds": 5, "filter_epochs": 9},
                **{"epochs": 15, "finetune_epochs": 3, "finetune_size": 64},
                **WELL_TRAINED,
            },
        },
        controls={
            "winners_trained_alike": ("winners_ensemble", {"epochs": 15, **WELL_TRAINED}),
        },
    ),
    "gpu": Scale(generate=("--scale", "full", "--images", "20000"), resources=(), at_once=1),
    "full": Scale(generate=("--scale", "full"), resources=(), at_once=1),
}
