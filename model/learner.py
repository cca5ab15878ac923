"""The half of a training that inference does not need: raw weights, optimizer, gradients."""

from __future__ import annotations

import copy

import torch
from torch import nn

from model.config import Recipe
from model.errors import CheckpointError
from model.networks.classifier import Classifier
from model.optim import HEAD, FlatGradients, build_optimizer

_WEIGHTS, _OPTIMIZER, _EXTRA = "weights.", "optimizer.", "extra."


class Learner:
    """Weights in training, their gradients and the optimizer's memory."""

    def __init__(self, start: Classifier, recipe: Recipe) -> None:
        """Begin from a copy of the network `start`, on its device."""
        self.network: nn.Module = copy.deepcopy(start)
        self.gradients = FlatGradients(self.network)
        self.optimizer = build_optimizer(self.network, recipe)
        self.extras: dict[str, torch.Tensor] = {}
        """What others remember from epoch to epoch: a loss function, recorded dynamics."""

    def start_epoch(self, *, head_only: bool) -> None:
        """Get ready to train; with `head_only`, the backbone keeps its norm statistics too."""
        self.network.train()
        if head_only:
            self.network.get_submodule("backbone").eval()

    def set_rates(self, backbone: float, head: float) -> None:
        """Learning rates of the two parts for the next step."""
        for group in self.optimizer.param_groups:
            group["lr"] = head if group["part"] == HEAD else backbone

    def extras_under(self, prefix: str) -> dict[str, torch.Tensor]:
        """The remembered tensors whose name begins with `prefix`, without it."""
        return _under(self.extras, prefix)

    def share_batch_statistics(self) -> None:
        """Let batch norm see the global batch; GPUs only. The weights stay the same objects."""
        # timm's own norm layers include an activation, which torch's converter would drop.
        from timm.layers import convert_sync_batchnorm  # pyright: ignore[reportPrivateImportUsage]

        self.network = convert_sync_batchnorm(self.network)

    def tensors(self) -> dict[str, torch.Tensor]:
        """Everything that a later `restore` needs, by name."""
        tensors = {f"{_WEIGHTS}{name}": value for name, value in self.network.state_dict().items()}
        for number, memory in self.optimizer.state_dict()["state"].items():
            for key, value in memory.items():
                if isinstance(value, torch.Tensor):
                    tensors[f"{_OPTIMIZER}{number}.{key}"] = value
        tensors.update({f"{_EXTRA}{name}": value for name, value in self.extras.items()})
        return tensors

    def restore(self, tensors: dict[str, torch.Tensor]) -> None:
        """Take over what `tensors` of an equal learner returned.

        Raises:
            CheckpointError: If it came from another network.
        """
        weights = _under(tensors, _WEIGHTS)
        try:
            self.network.load_state_dict(weights)
        except RuntimeError as error:
            raise CheckpointError(f"The training state is of another network: {error}") from error
        memories: dict[int, dict[str, torch.Tensor]] = {}
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        for name, value in _under(tensors, _OPTIMIZER).items():
            number, _, key = name.partition(".")
            memory = memories.setdefault(int(number), {})
            memory[key] = _laid_out_like(parameters[int(number)], value)
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": memories, "param_groups": groups})
        self.extras = _under(tensors, _EXTRA)


def _under(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """The tensors whose name begins with `prefix`, without it."""
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }


def _laid_out_like(weight: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Copy in the memory format of the weight.

    The same format means the same loops, hence the same rounding as without a stop in between.
    """
    if value.shape != weight.shape:
        return value.clone()
    return torch.empty_like(weight).copy_(value)
