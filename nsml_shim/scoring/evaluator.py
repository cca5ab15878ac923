"""The owner's evaluation.py: how it is called and how its answer is read."""

from __future__ import annotations

import math
from pathlib import Path

from nsml_shim.errors import EvaluationFailed

LABEL_FLAG = "--test_label_path"


def arguments(script: Path, *, prediction: str, labels: str) -> list[str]:
    """Arguments for the evaluator.

    Scripts up to 2019 hard-code the path of the labels and would refuse the second flag.
    """
    given = ["--prediction", prediction]
    if LABEL_FLAG.lstrip("-") in script.read_text(encoding="utf-8", errors="replace"):
        given += [LABEL_FLAG, labels]
    return given


def read_score(stdout: str, stderr: str, exit_code: int) -> str:
    """The number that the evaluator printed, exactly as it printed it.

    Raises:
        EvaluationFailed: If it failed, or printed something else than one finite number.
    """
    lines = [line.strip() for line in stdout.splitlines() if line.strip()]
    complaint = _complaint(stderr)
    if exit_code != 0:
        raise EvaluationFailed(
            f"evaluation.py refused the prediction: {complaint or _complaint(stdout)}"
        )
    try:
        if math.isfinite(float(lines[-1])):
            return lines[-1]
    except (IndexError, ValueError):
        pass  # what it printed is told below
    raise EvaluationFailed(
        f"evaluation.py has to print one number, but its last line is {lines[-1:]}. {complaint}"
    )


def _complaint(text: str) -> str:
    """The last words of a traceback, or a short message whole."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-1:] if "Traceback" in text else lines[-5:])
