"""Look at a training set: survey, suspects, then the page, the contact sheets and the table."""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from model.exploration.findings import Findings, terminal_lines
from model.exploration.page import Thumbnail, class_colour, page
from model.exploration.predictions import read_predictions
from model.exploration.sheets import Lettering, Tile, contact_sheet, find_lettering, thumbnail
from model.exploration.survey import Gallery, survey
from model.exploration.suspects import Suspect, find_suspects
from model.pixels.corrections import Correction, save_corrections
from model.pixels.faults import findings
from model.pixels.table import DataError
from model.progress import ProgressLines

PAGE, CORRECTIONS = "index.html", "corrections.csv"
"""Files of the output folder, besides the contact sheets."""
SHEET_TILES = 96
"""Small pictures on a contact sheet."""
CLASS_TILES = 8
"""Small pictures of each class."""
CACHED_THUMBNAILS = 512
"""Small pictures that the page and the sheets share."""


def explore(
    gallery: Gallery,
    *,
    out: Path,
    predictions: Path | None,
    workers: int,
    say: Callable[[str], None],
) -> Findings:
    """Look at every picture, tell what there is, and write it into a folder.

    Args:
        gallery: The training set.
        out: Folder to fill; what is there under the same names is replaced.
        predictions: Table of held-out predictions, if there is one.
        workers: Decoding threads.
        say: Takes the lines for the terminal.

    Raises:
        DataError: If the table of predictions, or the folder, cannot be used.
    """
    table = None
    if predictions:
        table = read_predictions(predictions, len(gallery.class_names))
        for line in _mismatch(gallery.names, table.names, predictions.name):
            say(line)
    _make_folder(out)  # before the long look, not after it
    seen = survey(gallery.files, workers=workers, on_progress=ProgressLines(say))
    suspects = find_suspects(gallery, seen.repeated, table)
    found = Findings(gallery, seen, suspects, predictions.name if predictions else "")
    for line in [*terminal_lines(found), "", *(f"Wrote {path}" for path in write(found, out))]:
        say(line)
    return found


def write(found: Findings, out: Path) -> list[Path]:
    """Write the page, the sheets and the table of corrections; returns the files."""
    picture = lru_cache(CACHED_THUMBNAILS)(partial(thumbnail, found.gallery, found.survey))
    files = [out / PAGE, out / CORRECTIONS]
    files[0].write_text(page(found, picture), encoding="utf-8")
    names = found.gallery.names
    rows = (Correction(names[s.position], s.given, s.suggested, s.score) for s in found.suspects)
    save_corrections(files[1], rows)
    lettering = find_lettering()
    sheets = {
        "classes.png": _class_tiles(found, picture, lettering),
        "duplicates.png": _duplicate_tiles(found, picture),
        "suspects.png": [_suspect_tile(found, picture, s) for s in found.suspects[:SHEET_TILES]],
    }
    for name, tiles in sheets.items():
        # What an earlier look has left must not pass for a finding of this one.
        (out / name).unlink(missing_ok=True)
        if tiles:
            contact_sheet(tiles, lettering).save(out / name)
            files.append(out / name)
    return files


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"{folder} cannot be made: {error.strerror}.",
            "It is the folder for the page and the contact sheets.",
            "Give another one with --out.",
        ) from error


def _mismatch(names: Sequence[str], predicted: Sequence[str], table: str) -> tuple[str, ...]:
    """A sentence about pictures without a prediction, and one about predictions without one."""
    mine, theirs = set(names), set(predicted)
    return findings(
        ([n for n in names if n not in theirs], len(names), f"pictures are not in {table}"),
        ([n for n in predicted if n not in mine], len(predicted), f"rows of {table} are not used"),
    )


def _class_tiles(found: Findings, picture: Thumbnail, lettering: Lettering) -> list[Tile]:
    """A row of pictures of each class, evenly from the beginning of the table to its end."""
    tiles: list[Tile] = []
    for number, name in enumerate(found.gallery.class_names):
        members = np.flatnonzero(found.gallery.labels == number)
        chosen = members[np.linspace(0, len(members) - 1, CLASS_TILES).round().astype(int)]
        title = f"{number} {name}" if lettering.writes(name) else f"class {number}"
        tiles += [
            Tile(picture(i), title, found.gallery.names[i], class_colour(number))
            for i in chosen.tolist()
        ]
    return tiles


def _duplicate_tiles(found: Findings, picture: Thumbnail) -> list[Tile]:
    """Near-duplicates with different labels, group by group."""
    return [
        Tile(
            picture(i),
            f"group {number}: class {found.gallery.labels[i]}",
            found.gallery.names[i],
            class_colour(int(found.gallery.labels[i])),
        )
        for number, part in enumerate(found.quarrels, start=1)
        for i in part.tolist()
    ][:SHEET_TILES]


def _suspect_tile(found: Findings, picture: Thumbnail, suspect: Suspect) -> Tile:
    better = "?" if suspect.suggested is None else str(suspect.suggested)
    return Tile(
        picture(suspect.position),
        f"{suspect.given} -> {better}   {suspect.score:.3f}",
        found.gallery.names[suspect.position],
        class_colour(suspect.given),
    )
