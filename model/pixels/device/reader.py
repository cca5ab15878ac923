"""Who makes the batches of a training: the processor, or a GPU."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from model.batch import Batch, Framing
from model.pixels.cache.kinds import RAW
from model.pixels.device.copies import DeviceCopies
from model.pixels.device.loader import stream_copies
from model.pixels.device.nvjpeg import is_present, stream_decoded
from model.pixels.loader import PictureFiles

CPU = "cpu"
"""Value of `Recipe.decoder` that leaves files to the processor."""


@dataclass(frozen=True)
class DeviceReader:
    """Batches that are made on the device."""

    device: torch.device
    copies: DeviceCopies | None
    """Raw copies to crop; None decodes the files on the device."""

    def stream(
        self,
        files: PictureFiles,
        order: NDArray[np.int64],
        *,
        batch_size: int,
        framing: Framing,
        workers: int,
    ) -> Generator[Batch, None, None]:
        """Batches as of `stream_batches`, their `images` on the device."""
        if self.copies is None:
            return stream_decoded(
                files, self.device, order, batch_size=batch_size, framing=framing, workers=workers
            )
        return stream_copies(
            files, self.copies, order, batch_size=batch_size, framing=framing, workers=workers
        )


def choose_reader(
    files: PictureFiles, device: torch.device, decoder: str, say: Callable[[str], None]
) -> DeviceReader | None:
    """How batches of these files are made on the device; None leaves them to the processor.

    Raw copies are always cropped there: whether they are resident then changes no pixel. A JPEG
    cache stays with the processor, whose decoder it was made for.

    Args:
        files: The pictures and their cache.
        device: Where the network computes.
        decoder: CPU, or "gpu".
        say: Gets a line about what is done.
    """
    if device.type != "cuda":
        return None
    if files.cache is not None:
        if files.cache.kind is not RAW:
            return None
        return DeviceReader(device, DeviceCopies(files.cache, device, say))
    if decoder == CPU:
        return None
    if not is_present(device):
        say("Pictures are decoded by the processor: this torchvision has no nvJPEG")
        return None
    say("Pictures are decoded by the GPU (nvJPEG)")
    return DeviceReader(device, None)
