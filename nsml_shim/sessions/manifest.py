"""What a session needs: `setup.py`, `requirements.txt` and `nsml_package.txt`.

They are read. Only a `setup.py` that says nothing to a reader is run, in a sandbox.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nsml_shim.sessions.apt import read_packages
from nsml_shim.sessions.setup_sandbox import NotRun, run_setup
from nsml_shim.sessions.setup_script import install_requires

DEFAULT_IMAGE = "nsml/default_ml:latest"
"""Image of a folder that names none. Source: NSML's documents."""
IMAGE_LINE = re.compile(r"^\s*#\s*nsml\s*:\s*(\S+)", re.MULTILINE)

_PROVIDED = "nsml"
_WITH_PATH = {"-f", "--find-links", "-c", "--constraint"}
_KEPT_OPTIONS = _WITH_PATH | {
    "-i",
    "--index-url",
    "--extra-index-url",
    "--no-index",
    "--only-binary",
    "--no-binary",
    "--pre",
    "--trusted-host",
}


@dataclass(frozen=True)
class Manifest:
    """What a folder says about the environment it needs."""

    image: str
    """Image of the header line `#nsml: IMAGE`; here it is only shown."""
    requirements: tuple[str, ...]
    """Requirements (PEP 508) of setup.py, then of requirements.txt, each once."""
    source_files: tuple[Path, ...]
    """The files that were read; their contents identify the environment."""
    notes: tuple[str, ...] = ()
    """Sentences for the user about what could not be read or is not honoured."""
    options: tuple[str, ...] = ()
    """Lines of requirements.txt that tell the installer where to look, such as `--index-url …`."""
    packages: tuple[str, ...] = ()
    """Packages of the operating system, from nsml_package.txt."""


@dataclass
class _Found:
    requirements: list[str]
    options: list[str]
    files: list[Path]
    notes: list[str]


def read(folder: Path, entry: str = "main.py") -> Manifest:
    """Read the manifest of `folder`; a setup.py that cannot be read is run in a sandbox.

    Args:
        folder: The guest's folder.
        entry: Entry script, which may carry the image line as well.
    """
    found = _Found([], [], [], [])
    setup, listing = folder / "setup.py", folder / "requirements.txt"
    if setup.is_file():
        found.files.append(setup)
        _read_setup(setup, found)
    if listing.is_file() and listing not in found.files:
        _read_listing(listing, found)
    packages, package_notes = read_packages(folder)
    return Manifest(
        image=_image([setup, listing, folder / entry]),
        requirements=_distinct(found.requirements, found.notes),
        source_files=tuple(dict.fromkeys(found.files)),
        notes=tuple(dict.fromkeys((*found.notes, *package_notes))),
        options=tuple(dict.fromkeys(found.options)),
        packages=packages,
    )


def _image(files: Sequence[Path]) -> str:
    for path in files:
        if path.is_file() and (line := IMAGE_LINE.search(_text(path))):
            return line[1]
    return DEFAULT_IMAGE


def _read_setup(setup: Path, found: _Found) -> None:
    wanted = install_requires(setup.read_bytes(), setup.parent)
    if wanted.notes:
        try:
            found.requirements += run_setup(setup)
        except NotRun as error:
            found.notes += [f"setup.py: {note} ({error})" for note in wanted.notes]
        else:
            return
    found.requirements += wanted.requirements
    for listing in wanted.listings:
        if listing not in found.files:
            _read_listing(listing, found)


def _read_listing(path: Path, found: _Found) -> None:
    """Read a file in the format of requirements.txt, and those it includes.

    Source: pip documentation, "Requirements File Format".
    """
    found.files.append(path)
    for line in _logical_lines(_text(path)):
        if line.startswith("-"):
            _read_option(line, path, found)
        else:
            _read_requirement(line, path, found)


def _read_option(line: str, path: Path, found: _Found) -> None:
    option, _, value = re.sub(r"^(--[\w-]+)=", r"\1 ", line).partition(" ")
    value = value.strip()
    if option in ("-r", "--requirement"):
        included = path.parent / value
        if not included.is_file():
            found.notes.append(f"{path.name}: included file {value} does not exist.")
        elif included not in found.files:
            _read_listing(included, found)
    elif option in _KEPT_OPTIONS:
        if option in _WITH_PATH and (path.parent / value).exists():
            value = str((path.parent / value).resolve())
        found.options.append(f"{option} {value}".strip())
    else:
        found.notes.append(f"{path.name}: option {line!r} is not honoured.")


def _read_requirement(line: str, path: Path, found: _Found) -> None:
    text = re.split(r"\s--\w", line)[0].strip()
    if text != line:
        found.notes.append(f"{path.name}: options after {text!r} are not honoured.")
    if re.match(r"[./]|\w:\\", text):
        found.notes.append(
            f"{path.name}: {text!r} is a path; import it from the folder instead of installing it."
        )
    else:
        found.requirements.append(text)


def _logical_lines(text: str) -> Iterator[str]:
    """Lines without comments and blanks; a backslash at the end joins the next line."""
    for line in re.sub(r"\s*\\\r?\n\s*", " ", text).splitlines():
        bare = re.sub(r"(^|\s)#.*$", "", line).strip()
        if bare:
            yield bare


def _distinct(requirements: Sequence[str], notes: list[str]) -> tuple[str, ...]:
    names = dict.fromkeys(requirements)
    kept = [name for name in names if not re.fullmatch(rf"{_PROVIDED}\s*([=<>!~].*)?", name)]
    if len(kept) < len(names):
        notes.append("Requirement nsml is left out: the platform brings its own.")
    return tuple(kept)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig", errors="replace")
