"""JPEG files decoded on the GPU by nvJPEG, which comes with torchvision.

Threads read the files; a batch is decoded in one call and cut out of the full pictures. What nvJPEG
refuses, and what it cannot be trusted with, goes the processor's way, picture by picture. Colours
differ a little from the processor's, since nvJPEG interpolates halved colour planes otherwise; and
of damage between a file's beginning and its end nvJPEG need not say a word.

B pictures of a batch, P pixels of all pictures, S side of the network input.
"""

from __future__ import annotations

import io
import math
from collections.abc import Generator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from model.batch import Batch, Box, Framing
from model.pixels.ahead import stream
from model.pixels.decode import checked, read_file
from model.pixels.device.crop import crop_batch
from model.pixels.device.loader import Draft, Piece, finished, pack, place_square, places_of
from model.pixels.faults import Fault
from model.pixels.jpeg import Header, read_header
from model.pixels.loader import PictureFiles, blank_batch, check_request, read_slots
from model.pixels.opened import Unreadable
from model.pixels.orientation import UPRIGHT, Orientation

MOST_PIXELS = 2**24
"""Larger pictures are left to the processor."""
DECODED_TOGETHER = 2**27
"""Pixels of the pictures that are decoded in one call; they take up 0.8 GB while it lasts."""
END = b"\xff\xd9"
"""Without it a file is cut short, which nvJPEG need not notice."""
ADOBE = b"\xff\xee\x00\x0eAdobe"
NOTHING = np.empty(0, dtype=np.uint8)
"""Stands for pixels that need not be sent."""
COLOUR_TRANSFORM = 15
"""Where behind ADOBE's beginning it stands whether the colours are RGB (0)."""


def is_present(device: torch.device) -> bool:
    """Whether torchvision decodes JPEG files on this device, by trying."""
    stream = io.BytesIO()
    Image.new("RGB", (16, 16)).save(stream, "JPEG")
    try:
        found = decode_together([_content(stream.getvalue())], device)
    except (ImportError, AttributeError):  # no torchvision, or one without the operator
        return False
    return found[0] is not None


def stream_decoded(
    files: PictureFiles,
    device: torch.device,
    order: NDArray[np.int64],
    *,
    batch_size: int,
    framing: Framing,
    workers: int,
) -> Generator[Batch, None, None]:
    """Batches as of `stream_batches`, decoded and cut out on the device.

    Args:
        files: The pictures; their cache is not used.
        device: A GPU; the processor serves to test what is around the decoder.
        order: Positions in `files`, int [M].
        batch_size: Pictures in a batch, at least 1.
        framing: Which part of each picture to take, asked with its position in `files`.
        workers: Threads that read files; 0 reads in the consumer's own thread.

    Raises:
        ValueError: If an argument lies outside its range.
        LoadingError: While iterating, if a picture failed though its file may be fine.
    """
    check_request(files, order, batch_size, workers)
    desk = _JpegDesk(files, framing, device)
    return stream(desk, order, batch_size=batch_size, workers=workers)


@dataclass(frozen=True, eq=False)
class _Jpeg:
    """A file for the device to decode."""

    data: torch.Tensor
    """uint8 [bytes]."""
    size: tuple[int, int]
    """Width and height as stored, pixels."""
    box: Box
    """In the stored picture."""
    orientation: Orientation


@dataclass(frozen=True, eq=False)
class _Draft(Draft):
    """A batch whose files the device decodes, but for some."""

    jpegs: dict[int, _Jpeg] = field(default_factory=dict[int, _Jpeg])
    """By slot."""


@dataclass(frozen=True, eq=False)
class _JpegDesk:
    """What every batch of a stream is made with."""

    files: PictureFiles
    framing: Framing
    device: torch.device

    def blank(self, indices: NDArray[np.int64]) -> _Draft:
        """A batch that has no pixels yet."""
        return _Draft(blank_batch(self.files, indices, torch.empty(0, dtype=torch.uint8)))

    def fill(self, draft: _Draft, slots: range) -> None:
        """Read the files of these `slots`; the processor does those that are not for the GPU."""
        read_slots(self.files, draft.batch, slots, partial(self._place, draft))
        pack(draft, slots, self.device)

    def _place(self, draft: _Draft, slot: int, index: int) -> Fault | None:
        jpeg = self._jpeg(index)
        if jpeg is None:
            return place_square(draft, slot, index, files=self.files, framing=self.framing)
        draft.jpegs[slot] = jpeg
        return None

    def _jpeg(self, index: int) -> _Jpeg | None:
        """The file, if it is one for the GPU."""
        try:
            data = read_file(self.files.folder / self.files.names[index])
        except Unreadable:
            return None
        header = read_header(data)
        if header is None or not _is_fit(data, header):
            return None
        asked = self.framing.box(*header.upright_size, index)
        box = checked(asked, header.upright_size, self.framing.pads)
        box = header.orientation.stored_box(box, header.width, header.height)
        return _Jpeg(_content(data), (header.width, header.height), box, header.orientation)

    def finish(self, draft: _Draft) -> Batch:
        """Decode, cut out, and let the processor do what was refused."""
        done: list[tuple[list[int], torch.Tensor]] = []
        refused = set(draft.jpegs)
        for slots in _portions(draft.jpegs):
            jpegs = [draft.jpegs[slot] for slot in slots]
            found = decode_together([jpeg.data for jpeg in jpegs], self.device)
            decoded = {
                slot: item
                for slot, jpeg, item in zip(slots, jpegs, found, strict=True)
                if item is not None and tuple(item.shape) == (3, jpeg.size[1], jpeg.size[0])
            }
            if decoded:
                done.append((list(decoded), self._squares(draft, decoded)))
                refused -= decoded.keys()
        for slot in sorted(refused):
            read_slots(
                self.files,
                draft.batch,
                range(slot, slot + 1),
                partial(place_square, draft, files=self.files, framing=self.framing),
            )
            pack(draft, range(slot, slot + 1), self.device)
        batch = finished(draft, None, self.framing.size, self.device)
        for slots, squares in done:
            places = torch.tensor(slots).to(self.device, non_blocking=True)
            batch.images.index_copy_(0, places, squares)
        return batch

    def _squares(self, draft: _Draft, decoded: dict[int, torch.Tensor]) -> torch.Tensor:
        """The squares of decoded pictures by slot, at least one: uint8 [n, S, S, 3]."""
        jpegs = [draft.jpegs[slot] for slot in decoded]
        row = torch.cat([item.permute(1, 2, 0).reshape(-1, 3) for item in decoded.values()])
        places = places_of([Piece(item.box, item.size, pixels=NOTHING) for item in jpegs])
        squares = crop_batch(row, places, self.framing.size)
        for number, jpeg in enumerate(jpegs):
            if jpeg.orientation is not UPRIGHT:
                squares[number] = upright(squares[number], jpeg.orientation).clone()
        return squares

    def leave(self) -> None:
        """Nothing was made that could be lost."""


def decode_together(files: list[torch.Tensor], device: torch.device) -> list[torch.Tensor | None]:
    """Pixels of JPEG files, uint8 [3, H, W] on the device each; None for those refused.

    Args:
        files: Contents, uint8 [bytes] on the processor.
        device: Where to decode; what it has to do before is waited for.
    """
    try:
        return list(_decode(files, device))
    except RuntimeError:  # one bad file stops all; whose fault it was nobody tells
        return [_decoded_alone(file, device) for file in files]


def _decoded_alone(file: torch.Tensor, device: torch.device) -> torch.Tensor | None:
    try:
        return _decode([file], device)[0]
    except RuntimeError:
        return None


def _decode(files: list[torch.Tensor], device: torch.device) -> list[torch.Tensor]:
    """All files or none, by torchvision's operators.

    Not by `torchvision.io.decode_jpeg`, which calls the same and from 0.29 on warns each time.

    Raises:
        RuntimeError: If one is refused.
    """
    import torchvision.io

    mode = torchvision.io.ImageReadMode.RGB.value
    if device.type != "cuda":
        return [torch.ops.image.decode_jpeg(file, mode, False) for file in files]
    # The decoder writes on a stream of its own, which does not wait for ours; the memory that it
    # gets may still be read there.
    torch.cuda.current_stream(device).synchronize()
    number = torch.cuda.current_device() if device.index is None else device.index
    return torch.ops.image.decode_jpegs_cuda(files, mode, torch.device("cuda", number))


def _content(data: bytes) -> torch.Tensor:
    """A file as torchvision wants it, uint8 [bytes]."""
    return torch.frombuffer(bytearray(data), dtype=torch.uint8)


def _is_fit(data: bytes, header: Header) -> bool:
    """Whether a file is one that a decoder without words for damage may have."""
    adobe = data.find(ADOBE, 0, header.height_at)
    is_rgb = adobe >= 0 and data[adobe + COLOUR_TRANSFORM] == 0
    complete = data.rstrip(b"\0").endswith(END)
    return complete and not is_rgb and header.width * header.height <= MOST_PIXELS


def _portions(jpegs: dict[int, _Jpeg]) -> Generator[list[int], None, None]:
    """Slots whose pictures together have at most DECODED_TOGETHER pixels."""
    portion: list[int] = []
    pixels = 0
    for slot in sorted(jpegs):
        own = math.prod(jpegs[slot].size)
        if portion and pixels + own > DECODED_TOGETHER:
            yield portion
            portion, pixels = [], 0
        portion.append(slot)
        pixels += own
    if portion:
        yield portion


def upright(square: torch.Tensor, orientation: Orientation) -> torch.Tensor:
    """A stored square [S, S, 3] as it is meant to be seen."""
    if orientation is UPRIGHT:
        return square
    if orientation.from_right:
        square = square.flip(1)
    if orientation.from_bottom:
        square = square.flip(0)
    return square.transpose(0, 1) if orientation.swapped else square
