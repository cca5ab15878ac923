"""Run a few lines as a session would, and look at what they left in the session folder."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from nsml_shim import protocol
from nsml_shim.commands import reports
from nsml_shim.protocol import Instruction, SessionFolder, session_folder
from nsml_shim.records import Report

ROOT = Path(__file__).parents[3]


@dataclass
class Store:
    """A model store with the session team/toy/1."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)

    def folder(self, name: str = "team/toy/1") -> SessionFolder:
        folder = session_folder(self.root, name)
        folder.checkpoints.mkdir(parents=True, exist_ok=True)
        return folder

    def run(
        self, code: str, *, name: str = "team/toy/1", ok: bool = True, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run `code` as the process of the session `name`."""
        done = subprocess.run(
            **self.process(code, name, variables), capture_output=True, text=True, timeout=60
        )
        assert (done.returncode == 0) == ok, done.stdout + done.stderr
        return done

    @contextmanager
    def start(
        self, code: str, *, name: str = "team/toy/1", **variables: str
    ) -> Iterator[subprocess.Popen[str]]:
        """Run `code` as the process of the session `name`, and go on meanwhile."""
        process = subprocess.Popen(
            **self.process(code, name, variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with process:
            try:
                yield process
            finally:
                process.kill()

    def process(self, code: str, name: str, variables: Mapping[str, str]) -> dict[str, Any]:
        """Command line, variables and folder of a session."""
        script = self.root / f"{name.replace('/', '-')}.py"
        script.write_text("import nsml\n" + code, encoding="utf-8")
        env = {key: value for key, value in os.environ.items() if not key.startswith("NSML_")}
        env |= {
            protocol.ENV_SESSION: name,
            protocol.ENV_FOLDER: str(self.folder(name).root),
            protocol.ENV_STORE: str(self.root),
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "nsml_shim" / "site")]),
            **variables,
        }
        work = self.folder(name).work
        work.mkdir(exist_ok=True)
        return {"args": [sys.executable, "-u", str(script)], "env": env, "cwd": work}

    def instruct(self, action: str, checkpoint: str = "best", **more: str) -> dict[str, str]:
        """Variables of a process that has to load a checkpoint of team/toy/1."""
        instruction = Instruction(action, "team/toy/1", checkpoint, **more)  # type: ignore[arg-type]
        return {protocol.ENV_INSTRUCTION: instruction.to_json()}

    def files(self, checkpoint: str, name: str = "team/toy/1") -> dict[str, str]:
        """What a checkpoint holds: file name to text."""
        record = self.folder(name).checkpoint(checkpoint)
        assert record is not None, f"{checkpoint} was not saved"
        model = self.folder(name).checkpoints / record.folder / "model"
        if model.is_file():
            return {"": model.read_text()}
        return {p.name: p.read_text() for p in model.rglob("*") if p.is_file()}

    def points(self) -> list[Report]:
        """Every report, oldest first."""
        return list(reports.read(self.folder().reports, reports.Bookmark()))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


SaveText = Callable[[str], str]
SAVE = """
import os
def save(path, **kwargs):
    with open(os.path.join(path, "model.txt"), "w") as file:
        file.write(TEXT)
def load(path, **kwargs):
    print("loaded", open(os.path.join(path, "model.txt")).read())
nsml.bind(save=save, load=load)
"""


@pytest.fixture
def saver() -> SaveText:
    """Code that binds functions which save and load one text."""
    return lambda text: f"TEXT = {text!r}\n{SAVE}"
