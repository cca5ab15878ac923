"""One look at every picture: sizes, damage and near-duplicates.

N pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.batch import Box
from model.pixels.faults import Damage
from model.pixels.fingerprint import THUMBNAIL, duplicate_groups, fingerprints
from model.pixels.loader import PictureFiles
from model.progress import OnProgress, ignore_progress


@dataclass(frozen=True, eq=False)
class Gallery:
    """A training set to look at."""

    files: PictureFiles
    """N pictures and their given classes."""
    categories: Sequence[tuple[str, ...]]
    """Product category of each picture, broadest level first; empty where there is none."""
    class_names: tuple[str, ...]
    """K names."""
    notes: tuple[str, ...] = ()
    """What reading it left out or changed, one sentence each."""

    @property
    def names(self) -> list[str]:
        """File name of each picture, N."""
        return self.files.names

    @property
    def labels(self) -> NDArray[np.int64]:
        """Given class of each picture, int [N]."""
        return self.files.labels


@dataclass(frozen=True, eq=False)
class Survey:
    """What the files themselves tell."""

    widths: NDArray[np.int64]
    """Width of each upright picture, pixels, int [N]; 0 where not even the header could be read."""
    heights: NDArray[np.int64]
    """Height of each upright picture, pixels, int [N]; 0 where it could not be read."""
    octets: NDArray[np.int64]
    """Size of each file, bytes, int [N]."""
    groups: NDArray[np.int64]
    """Near-duplicates share a number, int [N]."""
    unreadable: dict[str, str]
    """Reason by file name."""
    truncated: dict[str, str]
    """Reason by file name of the pictures that are cut short."""

    @property
    def repeated(self) -> list[NDArray[np.int64]]:
        """Positions of the pictures of each group that has several, the largest group first."""
        order = np.argsort(self.groups, kind="stable")
        edges = np.flatnonzero(np.diff(self.groups[order])) + 1
        several = [part for part in np.split(order, edges) if len(part) > 1]
        return sorted(several, key=len, reverse=True)


@dataclass(frozen=True, eq=False)
class _Measuring:
    """The whole picture; remembers how large each one was, which threads do in turns of their own.

    A framing is asked for its box after the header was read, so that measuring costs nothing.
    """

    widths: NDArray[np.int64]
    heights: NDArray[np.int64]
    size: int = THUMBNAIL
    pads: bool = False

    def box(self, width: int, height: int, index: int) -> Box:
        """All of the picture `index`."""
        self.widths[index], self.heights[index] = width, height
        return 0.0, 0.0, float(width), float(height)


def survey(
    files: PictureFiles, *, workers: int, on_progress: OnProgress = ignore_progress
) -> Survey:
    """Look at every picture once.

    Args:
        files: N pictures.
        workers: Decoding threads; they do not change the result.
        on_progress: Told how far it is.
    """
    count = len(files.names)
    measuring = _Measuring(np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64))
    prints = fingerprints(files, workers=workers, framing=measuring, on_progress=on_progress)
    octets = [_octets(files.folder / name) for name in files.names]
    return Survey(
        measuring.widths,
        measuring.heights,
        np.array(octets, dtype=np.int64),
        duplicate_groups(prints.hashes),
        files.tally.among(files.names, Damage.UNREADABLE),
        files.tally.among(files.names, Damage.TRUNCATED),
    )


def _octets(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # a dangling link, which the survey counts as unreadable
        return 0
