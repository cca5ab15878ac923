"""A training loop as one writes it by hand: nothing but what a training cannot do without."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from benchmarks.train_task import Task, draw_memory
from model.devices import choose_compute
from model.optim import build_optimizer
from model.preprocess import IMAGENET_MEAN, IMAGENET_STD


def bare_loop(task: Task) -> Callable[[], None]:
    """One epoch of it; precision and memory layout are those that we choose, too."""
    torch.set_num_threads(1)
    device, recipe = torch.device(task.device), task.recipe
    network = task.network().to(device).train()
    dtype = choose_compute(recipe.precision, network, device).training
    groups = [
        {"params": group["params"], "weight_decay": group["weight_decay"]}
        for group in build_optimizer(network, recipe).param_groups
    ]
    optimizer = torch.optim.SGD(groups, lr=0.05, momentum=0.9, nesterov=True)
    pixels, labels = (tensor.to(device) for tensor in draw_memory(task))
    mean = torch.tensor(IMAGENET_MEAN, device=device).view(1, 3, 1, 1) * 255
    std = torch.tensor(IMAGENET_STD, device=device).view(1, 3, 1, 1) * 255

    def epoch() -> None:
        for places in torch.randperm(len(pixels), device=device).split(task.batch_size):
            images = pixels[places].permute(0, 3, 1, 2).float().sub_(mean).div_(std)
            turned = torch.rand(len(images), 1, 1, 1, device=device) < 0.5
            images = torch.where(turned, images.flip(-1), images)
            with torch.autocast(device.type, torch.bfloat16, enabled=dtype is torch.bfloat16):
                logits = network(images, places[:, None][:, :0])
            loss = functional.cross_entropy(logits.float(), labels[places])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), task.clip_grad_norm)
            optimizer.step()
        if device.type == "cuda":
            torch.cuda.synchronize()

    return epoch
