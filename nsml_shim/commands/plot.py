"""`nsml plot`: a page with the curves of sessions, complete in one file."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nsml_shim.commands import copying, reports, series
from nsml_shim.commands.fork import refuse_submission
from nsml_shim.commands.platform import Platform
from nsml_shim.errors import ShimError
from nsml_shim.names import SessionName
from nsml_shim.protocol import write_atomic
from nsml_shim.store.sessions import SessionRow

PAGE = Path(__file__).with_name("plot.html")
MARK = "{{data}}"
"""Where the page takes its data."""


def plot(
    platform: Platform, names: Sequence[SessionName], target: Path | None, *, force: bool
) -> Path:
    """Write the page.

    Args:
        platform: Settings and store.
        names: Sessions whose curves lie over each other.
        target: The file; None is one below the platform's home, made anew each time.
        force: Replace `target` if it is there.

    Returns:
        The file.

    Raises:
        NoSuchSession: If there is no such session.
        SessionRefused: If one is a submission.
        InvalidOption: If the file is there already and `force` is off.
        ShimError: If none of the sessions has reported anything.
    """
    sessions = [_curves(platform, name) for name in names]
    if not any(session["lines"] for session in sessions):
        raise ShimError(
            f"{', '.join(map(str, names))} reported no numbers, so there is nothing to plot. "
            "A script does so by nsml.report(step=..., train__loss=...)."
        )
    if target is None:
        plots = platform.settings.home / "plots"
        target = plots / f"{'+'.join(map(copying.local_name, names))[:200]}.html"
    else:
        copying.refuse_existing(target, force=force)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(target, page(sessions).encode())
    return target.absolute()


def reported(platform: Platform, names: Sequence[SessionName]) -> list[dict[str, Any]]:
    """Every call of `nsml.report` in these sessions, none left out, in their order.

    Raises:
        NoSuchSession: If there is no such session.
        SessionRefused: If one is a submission.
    """
    return [
        {"session": str(name), **report._asdict()}
        for name in names
        for report in reports.read(_file(platform, name)[1], reports.Bookmark())
    ]


def page(sessions: Sequence[dict[str, Any]]) -> str:
    """The page for sessions as `_curves` describes them."""
    data = json.dumps(_finite(sessions), ensure_ascii=False, separators=(",", ":"))
    # Inside <script> nothing is markup but its own end.
    return PAGE.read_text(encoding="utf-8").replace(MARK, data.replace("<", "\\u003c"))


def _curves(platform: Platform, name: SessionName) -> dict[str, Any]:
    row, path = _file(platform, name)
    points = series.read_points(path)
    return {
        "name": str(row.name),
        "args": list(row.args),
        "memo": row.memo,
        "lines": [asdict(line) for line in series.lines(points)],
    }


def _file(platform: Platform, name: SessionName) -> tuple[SessionRow, Path]:
    """A session, and the file of its reports."""
    row = platform.find_session(name)
    refuse_submission("plot", row)
    return row, platform.folder(row).reports


def _finite(value: Any) -> Any:
    """The value with null for NaN and infinities, which JSON cannot hold."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value
