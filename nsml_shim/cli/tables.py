"""Tables, times and sizes as NSML printed them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
MONTH, YEAR = 30 * DAY, 365 * DAY


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns two spaces apart, everything to the left, dashes under the header.

    A column is as wide as its widest cell, and at least two wider than its header.
    """
    columns = list(zip(header, *rows, strict=True)) if rows else [(name,) for name in header]
    widths = [max(_width(column[0]) + 2, *map(_width, column)) for column in columns]
    form = "  ".join(f"{{:{width}}}" for width in widths)
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join(_line(cells, widths, form).rstrip() for cells in lines)


def _line(cells: Sequence[str], widths: Sequence[int], form: str) -> str:
    """Cells at their widths; a form fills them in where every letter takes one place."""
    if "".join(cells).isascii():
        return form.format(*cells)
    return "  ".join(_pad(cell, width) for cell, width in zip(cells, widths, strict=True))


def _width(text: str) -> int:
    """Cells the text takes on a terminal: Korean and Chinese letters take two."""
    if text.isascii():
        return len(text)
    import unicodedata  # which a listing in Latin letters goes without

    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _pad(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def ago(seconds: float) -> str:
    """How long ago, in words: `just now`, `2 minutes ago`, `a day ago`."""
    if seconds < 5:
        return "just now"
    if seconds < MINUTE:
        return "seconds ago"
    for unit, name, one in (
        (YEAR, "year", "a"),
        (MONTH, "month", "a"),
        (DAY, "day", "a"),
        (HOUR, "hour", "an"),
        (MINUTE, "minute", "a"),
    ):
        if seconds >= unit:
            count = int(seconds // unit)
            return f"{one} {name} ago" if count == 1 else f"{count} {name}s ago"
    return "just now"


def size(count: int) -> str:
    """Bytes in decimal units, as listings show them: `175.81 KB`."""
    value = float(count)
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1000:
            return f"{value:g} B" if unit == "B" else f"{value:.2f} {unit}"
        value /= 1000
    return f"{value:.2f} TB"


def binary_size(count: int) -> str:
    """Bytes in binary units, as upload lines show them: `9.1 KiB`."""
    value, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:.0f} {unit}" if value >= 10 or unit == "B" else f"{value:.1f} {unit}"


def summary(values: Mapping[str, object]) -> str:
    """Reported values as `nsml ps` shows them: sorted, floats rounded to 3 decimals, no step."""
    return ", ".join(f"{key}={_short(values[key])}" for key in sorted(values) if key != "step")


def full_summary(values: Mapping[str, object]) -> str:
    """Reported values as `nsml model ls` shows them: in their order, at full precision."""
    return ", ".join(f"{key}={value}" for key, value in values.items())


def _short(value: object) -> object:
    return round(value, 3) if isinstance(value, float) else value
