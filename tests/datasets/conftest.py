"""The generator lies beside the script that starts it, so its folder has to be on the path."""

import subprocess
import sys
from pathlib import Path

import pytest

OWNER = Path(__file__).parents[2] / "datasets" / "review_img"
# At the end, so that the submission's own data_loader keeps its name.
sys.path.append(str(OWNER))

IMAGES = 60


def generate(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Type the generator's command."""
    return subprocess.run(
        [sys.executable, str(OWNER / "generate.py"), *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture(scope="session")
def small_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole dataset, made by the command in a folder whose name is no easy one."""
    target = tmp_path_factory.mktemp("dataset") / "내 데이터 é" / "demo"
    made = generate(str(target), "--images", str(IMAGES), "--seed", "3", "--workers", "2")
    assert made.returncode == 0, made.stderr
    return target
