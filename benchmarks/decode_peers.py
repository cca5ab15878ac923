"""Who else turns a picture file into a crop of 224 pixels: Pillow, torchcodec and DALI.

Each starts from a file and ends in a uint8 batch; none mirrors, which is left to the device. B
pictures of a batch, S side of the crop, pixels.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from timm.data.transforms import MaybePILToTensor, RandomResizedCropAndInterpolation
from torchvision.transforms import CenterCrop, Compose, Resize, v2

from benchmarks.peers import peer

SIZE = 224
"""S."""
SHORT_SIDE = 256
"""Side of the evaluation path's whole picture before its centre is cut out, pixels."""

Pass = Callable[[], Any]
"""Reads every picture once and returns the batch, in the layout that the contestant prefers."""


@dataclass(frozen=True)
class Job:
    """What every contestant has to do: all pictures once, into one batch."""

    paths: Sequence[Path]
    """B files."""
    training: bool
    """Random-resized crop; otherwise resize to SHORT_SIDE and cut out the centre."""


def pillow(job: Job) -> Pass:
    """Pillow decodes; torchvision crops and resizes as timm's prefetching loader lets it: uint8."""
    framing = (
        [RandomResizedCropAndInterpolation(SIZE, interpolation="bilinear")]
        if job.training
        else [Resize(SHORT_SIDE), CenterCrop(SIZE)]
    )
    transform = Compose([*framing, MaybePILToTensor()])
    batch = torch.empty((len(job.paths), 3, SIZE, SIZE), dtype=torch.uint8)

    def run() -> torch.Tensor:
        for slot, path in enumerate(job.paths):
            with path.open("rb") as file:
                pixels = transform(Image.open(file).convert("RGB"))
            batch[slot] = torch.as_tensor(pixels)
        return batch

    return run


def torchcodec(job: Job) -> Pass:
    """A tensor by torchcodec, cropped and resized with antialiasing by torchvision's v2.

    Raises:
        PeerMissing: If it cannot be installed here.
    """
    decode = peer("torchcodec", "torchcodec.decoders").decode_jpeg
    transform: Callable[[torch.Tensor], torch.Tensor]
    if job.training:
        transform = v2.RandomResizedCrop(SIZE)
    else:
        transform = v2.Compose([v2.Resize(SHORT_SIDE), v2.CenterCrop(SIZE)])
    batch = torch.empty((len(job.paths), 3, SIZE, SIZE), dtype=torch.uint8)

    def run() -> torch.Tensor:
        for slot, path in enumerate(job.paths):
            batch[slot] = transform(decode(path))
        return batch

    return run


def dali(job: Job) -> Pass:
    """DALI on the processor, one thread: a pipeline that decodes the crop's part and resizes it.

    Raises:
        PeerMissing: If it cannot be installed here.
    """
    pipeline_def = peer("nvidia-dali-cuda120", "nvidia.dali").pipeline_def
    fn, types = (peer("nvidia-dali-cuda120", f"nvidia.dali.{part}") for part in ("fn", "types"))

    @pipeline_def(batch_size=len(job.paths), num_threads=1, device_id=None)
    def graph() -> Any:
        files, _ = fn.readers.file(files=[os.fspath(path) for path in job.paths])
        options = {"interp_type": types.INTERP_LINEAR, "antialias": True}
        if job.training:
            pixels = fn.decoders.image_random_crop(
                files,
                random_area=[0.08, 1.0],
                random_aspect_ratio=[3 / 4, 4 / 3],
            )
            return fn.resize(pixels, resize_x=SIZE, resize_y=SIZE, **options)
        whole = fn.resize(fn.decoders.image(files), resize_shorter=SHORT_SIDE, **options)
        return fn.crop(whole, crop=(SIZE, SIZE))

    pipeline = graph(exec_async=False, exec_pipelined=False)
    pipeline.build()
    return pipeline.run


PEERS: dict[str, Callable[[Job], Pass]] = {
    "Pillow + torchvision (timm)": pillow,
    "torchcodec + torchvision v2": torchcodec,
    "DALI, processor": dali,
}
"""By the name in the table; the first is what the others are compared with."""
