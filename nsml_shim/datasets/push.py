"""Copy an owner's folder into the platform, split by who may see what."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nsml_shim.datasets.catalog import DATASET_FILE, EVALUATOR, LOADER, read_settings
from nsml_shim.errors import BadDataset
from nsml_shim.protocol import write_atomic

MANIFEST = "manifest.json"
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Pushed:
    """What a push left behind."""

    version: int
    size: int
    """Bytes of all files."""
    files: int
    changed: bool
    """False if the newest version already held exactly these files."""


def push(
    source: Path,
    into: Path,
    *,
    newest: int,
    progress: Progress,
    evaluator: Path | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Pushed:
    """Store the folder `source` as the next version below `into`.

    Training data goes to `run/`, test data to `submit/` (and `trial/`), labels and the evaluator
    to `hidden/`, which no session ever sees. Nothing is visible until everything is there.

    Args:
        source: Folder with `train/`, `test/test_data`, `test/test_label`, `data_loader.py`,
            `evaluation.py`, `dataset.toml`, `test_submit/`; each of them optional but one.
        into: Folder of the dataset, which holds its versions.
        newest: Newest version so far; 0 for a new dataset.
        progress: Told the files done and the files in total.
        evaluator: A script that takes the place of the folder's own evaluation.py.
        changes: Settings that win over those of dataset.toml.

    Raises:
        BadDataset: If the folder is missing or empty, or dataset.toml is wrong.
    """
    files = {file: source / file for file in _files(source)}
    if not files:
        raise BadDataset(
            f"{source} holds no files. Name the folder that contains train/ and test/."
        )
    if evaluator:
        files[Path(EVALUATOR)] = evaluator
    _check(source, files, changes or {})
    fingerprint = _fingerprint(files)
    size = sum(os.stat(path).st_size for path in files.values())
    if newest and _read_fingerprint(into / f"v{newest}") == fingerprint:
        return Pushed(newest, size, len(files), changed=False)
    into.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=into))
    try:
        for done, (file, path) in enumerate(files.items(), 1):
            _place(path, file, draft)
            progress(done, len(files))
        if not (draft / "trial" / "test").is_dir():
            shutil.rmtree(draft / "trial", ignore_errors=True)  # only the loader lies there
        manifest = {"fingerprint": fingerprint, "files": len(files), "bytes": size}
        write_atomic(draft / MANIFEST, json.dumps(manifest).encode())
        os.sync()  # once for all files: an fsync for each of 171 000 would take minutes
        target = into / f"v{newest + 1}"
        shutil.rmtree(target, ignore_errors=True)  # left by a push that died before it was recorded
        os.replace(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Pushed(newest + 1, size, len(files), changed=True)


def _files(source: Path) -> Iterator[Path]:
    """Every file below the folder, relative to it, in a fixed order."""
    for parent, folders, names in os.walk(source):
        folders.sort()
        for name in sorted(names):
            yield Path(parent, name).relative_to(source)


def _check(source: Path, files: Mapping[Path, Path], changes: Mapping[str, Any]) -> None:
    settings = read_settings(source / DATASET_FILE, changes=changes)
    labels = source / "test" / "test_label"
    if labels.exists() and Path(LOADER) not in files:
        raise BadDataset(
            f"{source} has test/test_label but no {LOADER}: submissions could not be fed. "
            f"Add a {LOADER} with feed_infer(output_file, infer_func)."
        )
    if labels.exists() and settings.metric == "custom" and Path(EVALUATOR) not in files:
        raise BadDataset(
            f"{source} has test/test_label but no {EVALUATOR}: submissions could not be scored. "
            f"Add one, name one with -l PATH, or choose a built-in metric: -l accuracy, or "
            f'metric = "accuracy" in {DATASET_FILE}.'
        )


def _place(path: Path, file: Path, draft: Path) -> None:
    """Copy one file to every view that may hold it."""
    for target in _targets(file):
        goal = draft / target
        goal.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, goal)


def _targets(file: Path) -> list[Path]:
    part, rest = file.parts[0], Path(*file.parts[1:])
    if file == Path(DATASET_FILE):
        return [file]
    if file == Path(EVALUATOR):
        return [Path("hidden", file)]
    if file == Path(LOADER):
        return [Path(view, file) for view in ("run", "submit", "trial")]
    if part not in ("test", "test_submit"):
        return [Path("run", file)]
    # test_label is the name of the contract; test_label.csv and the like are no less secret.
    if rest.parts and rest.parts[0].startswith("test_label"):
        return [Path("hidden", file)]
    return [Path("submit" if part == "test" else "trial", "test", rest)]


def _fingerprint(files: Mapping[Path, Path]) -> str:
    """Digest of names, sizes and times: enough to see that a push would change nothing."""
    digest = hashlib.sha256()
    for file, path in files.items():
        stat = os.stat(path)
        digest.update(f"{file}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _read_fingerprint(version: Path) -> str:
    try:
        return str(json.loads((version / MANIFEST).read_text(encoding="utf-8"))["fingerprint"])
    except FileNotFoundError:
        return ""
