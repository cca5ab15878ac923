"""In which form the cache keeps pictures."""

from __future__ import annotations

from dataclasses import dataclass

import PIL
import simplejpeg
import torch

FORMAT = 1
"""Changes with anything that changes what is written, or its pixels."""


@dataclass(frozen=True)
class CacheKind:
    """How large the cached pictures are, and how they are written."""

    name: str
    side: int
    """Largest length of the side that counts, pixels; smaller pictures are never enlarged."""
    long: bool
    """Whether the long side counts, or the short one."""
    quality: int | None
    """JPEG quality, 1..100; None keeps the pixels as they are."""

    @property
    def words(self) -> str:
        """What it is, for people."""
        side = "long" if self.long else "short"
        coding = "uncompressed" if self.quality is None else f"JPEG of quality {self.quality}"
        return f"{coding}, {side} side {self.side} pixels"

    @property
    def settings(self) -> str:
        """Name of the folder that holds pictures made with exactly these settings and libraries.

        Libraries count because another version may round otherwise, and runs of equal seeds shall
        see equal pixels.
        """
        made_by = f"t{torch.__version__}-p{PIL.__version__}-s{simplejpeg.__version__}"
        quality = "" if self.quality is None else f"-q{self.quality}"
        return f"{self.name}-{self.side}{quality}-f{FORMAT}-{made_by}".replace("+", "-")

    def size_of(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of the cached copy of a picture, pixels, at least 1."""
        counted = max(width, height) if self.long else min(width, height)
        if counted <= self.side:
            return width, height
        share = self.side / counted
        return max(1, round(width * share)), max(1, round(height * share))


JPEG = CacheKind("jpeg", side=512, long=True, quality=90)
"""A fifth of the bytes of the competition's files, and read seven times as fast as they are."""
RAW = CacheKind("raw", side=256, long=False, quality=None)
"""As large as the competition's files, and read sixty times as fast."""

KINDS = {kind.name: kind for kind in (JPEG, RAW)}
