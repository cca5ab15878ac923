"""The tables beside the pictures: which picture has which answer and which categories."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

NAME_COLUMNS = ("image_name", "file_name")
"""What the column of picture names may be called; the first is preferred."""
CATEGORY_COLUMNS = ("category_1", "category_2", "category_3", "category_4")
"""Product category, broadest level first; the deeper levels, or all, may be absent."""


class DataError(Exception):
    """A dataset that cannot be used; three lines: what happened, what was expected, what to do."""

    def __init__(self, happened: str, expected: str, next_step: str) -> None:
        lines = (happened, expected, next_step)
        # A quoted cell may hold line breaks of its own.
        super().__init__("\n".join(" ".join(line.splitlines()) for line in lines))


@dataclass(frozen=True)
class Row:
    """What a table says about one picture."""

    line: int
    """Line of the file on which the record ends, from 1."""
    name: str
    """File name of the picture."""
    answer: str
    """As written; empty in a table without labels."""
    categories: tuple[str, ...]
    """Product category, broadest level first."""


@dataclass(frozen=True)
class _Columns:
    """Where a table keeps what."""

    name: int
    answer: int | None
    categories: list[int]


def read_table(path: Path, *, label_column: str | None = None) -> list[Row]:
    """All rows of a CSV table (UTF-8, with a header), columns found by name.

    Args:
        path: The table.
        label_column: Column that holds the answers, if the table has them.

    Raises:
        DataError: If the file cannot be read, a column is missing or there twice, a row has too
            many or too few cells, or a picture is named twice or not at all.
    """
    records = read_records(path)
    line, header = next(records, (1, []))
    columns = _columns(path, [cell.strip() for cell in header], label_column)
    rows: list[Row] = []
    line_of: dict[str, int] = {}
    shared: dict[tuple[str, ...], tuple[str, ...]] = {}  # few categories, many rows
    for line, cells in records:
        if len(cells) != len(header):
            raise DataError(
                f"{path}, line {line}: {len(cells)} cells, first {cells[0]!r}.",
                f"The header has {len(header)} columns, so every row has {len(header)} cells.",
                "Correct that row; a cell that contains a comma stands in double quotes.",
            )
        name = cells[columns.name]
        if not name or name in line_of:
            earlier = f"already on line {line_of[name]}" if name else "empty"
            raise DataError(
                f"{path}, line {line}: the picture name {name!r} is {earlier}.",
                "Every row names another picture.",
                "Remove one of the rows, or correct the name.",
            )
        line_of[name] = line
        category = tuple(cells[i].strip() for i in columns.categories)
        answer = "" if columns.answer is None else cells[columns.answer]
        rows.append(Row(line, name, answer, shared.setdefault(category, category)))
    return rows


def write_table(
    path: Path,
    names: Sequence[str],
    *,
    labels: tuple[str, Sequence[int]] | None = None,
    categories: Sequence[tuple[str, ...]] = (),
) -> None:
    """Write a table as `read_table` reads it.

    Args:
        path: The file.
        names: File name of each picture, N.
        labels: Name of the column of answers, and the answers, N; None writes no such column.
        categories: Product category of each picture, N of one depth; empty writes no such columns.
    """
    depth = max(map(len, categories), default=0)
    columns: dict[str, Sequence[object]] = {NAME_COLUMNS[0]: names}
    if labels:
        columns[labels[0]] = labels[1]
    for level, column in enumerate(CATEGORY_COLUMNS[:depth]):
        columns[column] = [category[level] for category in categories]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def read_records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each record of a CSV file (UTF-8) that is not blank.

    Raises:
        DataError: While iterating, if the file cannot be read or is no such table.
    """
    line = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            for cells in reader:
                line = reader.line_num
                if cells:
                    yield line, cells
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}.",
            "It is the CSV table of the pictures, with a header.",
            "Check the path of the dataset; `nsml dataset push` registers one.",
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}, after line {line}: byte {error.object[error.start]:#04x} is not UTF-8.",
            "Tables are UTF-8, with or without a byte-order mark.",
            'Save the table again as UTF-8 (in Excel: "CSV UTF-8").',
        ) from error
    except csv.Error as error:
        raise DataError(
            f"{path}, after line {line}: not a CSV record: {error}.",
            "Cells are separated by commas; quotes inside a quoted cell are doubled.",
            "Correct that row.",
        ) from error


def _columns(path: Path, header: list[str], label_column: str | None) -> _Columns:
    name = next((column for column in NAME_COLUMNS if column in header), NAME_COLUMNS[0])
    deepest = max((i for i, c in enumerate(CATEGORY_COLUMNS) if c in header), default=-1)
    categories = CATEGORY_COLUMNS[: deepest + 1]
    needed = [name, *([label_column] if label_column else []), *categories]
    wrong = [column for column in needed if header.count(column) != 1]
    if wrong:
        raise DataError(
            f"{path}, line 1: {header.count(wrong[0])} columns are called {wrong[0]!r}.",
            f"Needed once each: {', '.join(needed)}; found: {', '.join(header) or 'nothing'}.",
            "Add or rename the column in the first line of the table.",
        )
    answer = header.index(label_column) if label_column else None
    return _Columns(header.index(name), answer, [header.index(c) for c in categories])
