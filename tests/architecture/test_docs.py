"""What the documents promise is there, and what is there is documented."""

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import nsml_shim.cli

ROOT = Path(__file__).resolve().parents[2]
MADE = {"__pycache__", "build", "dist", "demo", "demo.truth", "checkpoints", "eda"}
"""Folders that the tools and the walks leave behind (.gitignore)."""
MACHINE_PATH = re.compile(r"(?<![\w.~$}>/-])/(?:work|root|home|Users)/[\w.-]+")
LINK = re.compile(r"\]\(([^)\s]+)\)")
TREE_LINE = re.compile(r"[├└]── (\w+)")


def committed_files() -> list[Path]:
    """Every file of the checkout that is kept in git, also where there is no git."""
    found: list[Path] = []
    for folder, inner, names in os.walk(ROOT):
        hidden = {name for name in inner if name.startswith(".") and name not in {".ci", ".github"}}
        gone = hidden | MADE | {name for name in inner if name.endswith(".egg-info")}
        inner[:] = [name for name in inner if name not in gone]
        # In a second work tree `.git` is a file, which names the place of the first.
        found += [Path(folder, n) for n in names if n != ".git" and not n.endswith(".pyc")]
    return sorted(found)


FILES = committed_files()
DOCUMENTS = [path for path in FILES if path.suffix == ".md"]
PROSE = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)


def anchors(document: Path) -> set[str]:
    """Anchors that the headings of a document make, as GitHub writes them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-") for text in headings}


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    """Every visible command below a group with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if command.hidden:
            continue
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


def test_every_command_has_help_and_appears_in_the_documents():
    found = dict(commands(nsml_shim.cli.nsml, "nsml"))
    assert found
    assert [name for name, command in found.items() if not command.help] == []
    unknown = [name for name in found if not re.search(rf"{re.escape(name)}\b", PROSE)]
    assert unknown == []


@pytest.mark.parametrize("file", ["nsml_shim/errors.py", "model/errors.py"])
def test_every_error_class_is_in_the_drawn_tree(file):
    module = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    classes = [node.name for node in module.body if isinstance(node, ast.ClassDef)]
    drawing = ast.get_docstring(module) or ""
    assert sorted(TREE_LINE.findall(drawing)) == sorted(classes[1:])
    assert classes[0] in drawing


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document):
    broken: list[str] = []
    for link in LINK.findall(document.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = document.parent / name if name else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_the_changelog_begins_with_this_version():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[?([\d.]+\d)", changelog, re.MULTILINE)
    assert headings[0] == nsml_shim.__version__


def test_no_file_names_a_path_of_somebodys_machine():
    found: list[str] = []
    for path in FILES:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture
        found += [f"{path.relative_to(ROOT)}: {place}" for place in MACHINE_PATH.findall(text)]
    assert found == []


def test_every_folder_at_the_top_has_a_row_in_the_architecture():
    folders = {path.relative_to(ROOT).parts[0] for path in FILES if path.parent != ROOT}
    rows = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert [name for name in sorted(folders) if f"| `{name}/`" not in rows] == []


def test_decisions_are_numbered_without_a_gap():
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [path.name[:4] for path in records] == [f"{n:04d}" for n in range(1, len(records) + 1)]
