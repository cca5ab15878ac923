"""timm's training script without its command line, which the wheel does not hold.

Its own loader, prefetcher, optimizer and loop in the order of `train_one_epoch`; nothing that its
default options leave off. Source: train.py of pytorch-image-models 1.0.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from timm.data.dataset import ImageDataset
from timm.data.dataset_factory import create_dataset
from timm.data.loader import create_loader
from timm.optim._optim_factory import create_optimizer_v2
from timm.scheduler.scheduler_factory import create_scheduler_v2
from timm.utils.clip_grad import dispatch_clip_grad
from timm.utils.metrics import AverageMeter
from torch import nn

from benchmarks.shapes import SIZE
from benchmarks.train_task import Task

LOG_INTERVAL = 50
"""Batches between two looks at the loss; timm's default."""


@dataclass(frozen=True)
class TimmFlags:
    """The flags of the script that matter for speed."""

    tuned: bool
    """--amp --amp-dtype bfloat16 --channels-last."""


def timm_loop(task: Task, folder: Path, flags: TimmFlags) -> Callable[[], None]:
    """One epoch on the class folders of `folder`; pictures are decoded in the loop's own thread."""
    torch.set_num_threads(1)
    device = torch.device(task.device)
    network = task.network().to(memory_format=torch.contiguous_format).to(device)
    layout = torch.channels_last if flags.tuned else torch.contiguous_format
    network = network.to(memory_format=layout).train()  # pyright: ignore
    loader = create_loader(
        cast(
            "ImageDataset",
            create_dataset("", root=str(folder / "by_class"), is_training=True),
        ),
        input_size=(3, SIZE, SIZE),
        batch_size=task.batch_size,
        is_training=True,
        color_jitter=0.0,
        num_workers=0,
        persistent_workers=False,
        device=device,
    )
    optimizer = create_optimizer_v2(network, "sgd", lr=0.05, weight_decay=5e-4, momentum=0.9)
    scheduler, _ = create_scheduler_v2(optimizer, num_epochs=300, updates_per_epoch=len(loader))
    amp = partial(torch.autocast, device.type, torch.bfloat16, enabled=flags.tuned)
    updates = [0]

    def epoch() -> None:
        updates[0] = train_one_epoch(
            network, loader, optimizer, scheduler, amp, layout=layout, task=task, updates=updates[0]
        )
        if device.type == "cuda":
            torch.cuda.synchronize()

    return epoch


def train_one_epoch(  # noqa: PLR0913
    network: nn.Module,
    loader: Any,
    optimizer: torch.optim.Optimizer,
    scheduler: Any,
    amp: Callable[[], AbstractContextManager[object]],
    *,
    layout: torch.memory_format,
    task: Task,
    updates: int,
) -> int:
    """The loop of the script; returns the number of updates so far."""
    losses, loss_function = AverageMeter(), nn.CrossEntropyLoss()
    optimizer.zero_grad()
    for number, (images, targets) in enumerate(loader):
        images = images.contiguous(memory_format=layout)
        with amp():
            logits = network(images, targets[:, None][:, :0])
            loss = loss_function(logits, targets)
        loss.backward()
        dispatch_clip_grad(network.parameters(), value=task.clip_grad_norm, mode="norm")
        optimizer.step()
        optimizer.zero_grad()
        updates += 1
        if number % LOG_INTERVAL == 0:
            losses.update(loss.item(), images.size(0))
        scheduler.step_update(num_updates=updates, metric=losses.avg)
    return updates
