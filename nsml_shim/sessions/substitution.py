"""What to install for a requirement that cannot be had as it is written.

The ladder: as written; another version of it that is installed already; the same minor version; the
next newer minor version in its last patch; the newest there is. Former names are replaced first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nsml_shim.sessions.distributions import (
    FORMER_NAMES,
    KEEPS_ITS_VERSION,
    living_name,
    normalise,
    same_module,
)
from nsml_shim.sessions.index import Index
from nsml_shim.sessions.inventory import Report
from nsml_shim.sessions.requirements import is_address, missing_from, name_of, parse

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.version import Version


@dataclass(frozen=True)
class Wish:
    """How a requirement is to be met in an environment of the session's own."""

    asked: str
    """The requirement as written."""
    attempts: tuple[str, ...] = ()
    """Requirements to install, the best one first; none if nothing can be had."""
    certain: bool = True
    """The first attempt is known to be a wheel, so that installing it can hardly fail."""
    builds: bool = False
    """Worth an environment: our own interpreter has nothing that would do instead."""


@dataclass(frozen=True)
class Outcome:
    """How well an interpreter meets a manifest."""

    substitutions: tuple[str, ...] = ()
    """One sentence for each requirement that is met by something else."""
    missing: tuple[str, ...] = ()
    """Requirements that are not met at all."""


def plan(requirements: Sequence[str], report: Report, index: Index) -> list[Wish]:
    """Decide for each requirement what to install.

    Args:
        requirements: Requirements of the manifest.
        report: Inventory of our own interpreter.
        index: Where to look.
    """
    lacking = set(missing_from(requirements, report))
    return [
        _wish(text, report, index) if text in lacking else Wish(text, (text,))
        for text in requirements
    ]


def judge(requirements: Sequence[str], report: Report, *, own: bool, asked: bool = True) -> Outcome:
    """Say what an interpreter uses instead of each requirement that it does not satisfy.

    Args:
        requirements: Requirements of the manifest.
        report: Inventory of that interpreter.
        own: It is the one that runs `nsml`, so nothing was installed for this session.
        asked: An index was asked for what is lacking; else nobody knows what it has.
    """
    substitutions: list[str] = []
    missing: list[str] = []
    python = report["markers"]["python_version"]
    for text in missing_from(requirements, report):
        name = name_of(text)
        if name and not living_name(name):
            substitutions.append(f"{text} needs no installation: Python {python} brings it")
        elif stand_in := _stand_in(text, report):
            reason = _reason(text, python) if asked else "is not installed"
            where = ", which is installed" if own else ""
            substitutions.append(f"{text} {reason}; using {' '.join(stand_in)}{where}")
        else:
            missing.append(text)
    return Outcome(tuple(substitutions), tuple(missing))


def unavailable(requirements: Sequence[str], report: Report, index: Index) -> list[str]:
    """Requirements that our own interpreter lacks and no index has a wheel for; not addresses."""
    return [
        text
        for text in missing_from(requirements, report)
        if not is_address(text)
        and ((wanted := parse(text)) is None or not index.find(f"{wanted.name}{wanted.specifier}"))
    ]


def _reason(text: str, python: str) -> str:
    plain = normalise(name_of(text))
    if parse(text) is None and not is_address(text):
        return "is no requirement"
    if plain in FORMER_NAMES:
        return f"is not the name to install, {FORMER_NAMES[plain]} is"
    return f"is not available for Python {python}"


def _stand_in(text: str, report: Report) -> tuple[str, str] | None:
    """Name and version of an installed distribution that brings the same module."""
    name = name_of(text)
    for other in same_module(living_name(name)) if name else ():
        if other in report["installed"]:
            return other, report["installed"][other]["version"]
    return None


def _wish(text: str, report: Report, index: Index) -> Wish:
    name = name_of(text)
    if is_address(text):
        return Wish(text, (text,), certain=False, builds=_stand_in(text, report) is None)
    if not name or not living_name(name):
        return Wish(text)
    wanted = _renamed(text)
    if stand_in := _stand_in(text, report):
        if normalise(name) not in FORMER_NAMES and parse(text) and index.find(str(wanted)):
            return Wish(text, (text,), builds=True)
        other, version = stand_in
        return Wish(text, (f"{other}=={version.split('+')[0]}", other))
    for other in same_module(normalise(wanted.name)):
        wanted.name = other
        if version := _nearest(wanted, index):
            extras = f"[{','.join(sorted(wanted.extras))}]" if wanted.extras else ""
            return Wish(text, (f"{other}{extras}=={version}", f"{other}{extras}"), builds=True)
    return _from_source(text, index)


def _from_source(text: str, index: Index) -> Wish:
    wanted = _renamed(text)
    if not index.has_source(wanted.name):
        return Wish(text)
    return Wish(text, (str(wanted), wanted.name), certain=False, builds=True)


def _renamed(text: str) -> Requirement:
    """The requirement under its living name, without a marker, which has been evaluated."""
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

    name = name_of(text)
    living = living_name(name)
    wanted = parse(text) or Requirement(living)
    if living != normalise(name):
        if normalise(name) not in KEEPS_ITS_VERSION:
            wanted.specifier = SpecifierSet()
        wanted.name = living
    wanted.marker = None
    return wanted


def _nearest(wanted: Requirement, index: Index) -> str:
    """The installable version nearest to what is wanted; "" if there is none."""
    from packaging.version import Version

    if found := index.find(f"{wanted.name}{wanted.specifier}"):
        return found
    if anchor := _anchor(wanted):
        if found := index.find(f"{wanted.name}=={_minor(anchor)}"):
            return found
        if found := index.find(f"{wanted.name}>={anchor}", lowest=True):
            return index.find(f"{wanted.name}=={_minor(Version(found))}") or found
    return index.find(wanted.name)


def _anchor(wanted: Requirement) -> Version | None:
    """The highest version that a requirement names, or None."""
    from packaging.version import InvalidVersion, Version

    versions: list[Version] = []
    for part in wanted.specifier:
        try:
            versions.append(Version(re.sub(r"\.?\*$", "", part.version)))
        except InvalidVersion:
            continue  # `===` compares text
    return max(versions, default=None)


def _minor(version: Version) -> str:
    return ".".join(str(number) for number in version.release[:2]) + ".*"
