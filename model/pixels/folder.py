"""Folders of picture files."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from model.pixels.table import DataError


def picture_names(folder: Path, table: str) -> set[str]:
    """Files of a picture folder, but for hidden ones and the table that may lie among them.

    Args:
        folder: The folder; pictures lie directly inside.
        table: Name of the file that is no picture.

    Raises:
        DataError: If the folder cannot be read or holds no picture.
    """
    try:
        with os.scandir(folder) as entries:
            names = {e.name for e in entries if not e.name.startswith(".") and not e.is_dir()}
    except OSError as error:
        raise DataError(
            f"{folder} cannot be read: {error.strerror}.",
            "It is the folder with the pictures of the dataset.",
            "Check the path of the dataset; `nsml dataset push` registers one.",
        ) from error
    names.discard(table)
    if not names:
        raise DataError(
            f"{folder} holds no picture.",
            "Pictures lie directly in that folder.",
            "Copy the pictures there, or check the path of the dataset.",
        )
    return names


def link_pictures(source: Path, names: Sequence[str], target: Path) -> None:
    """Put pictures into a new folder, as hard links if possible.

    Args:
        source: Folder that holds them.
        names: Their file names.
        target: Folder to make.

    Raises:
        FileExistsError: If `target` is there already.
    """
    target.mkdir(parents=True)
    for name in names:
        picture = (source / name).resolve()
        try:
            os.link(picture, target / name)
        except OSError:  # another file system, or one without links
            shutil.copyfile(picture, target / name)
