"""The constants of the `nsml` library, read from the environment when it is imported."""

from __future__ import annotations

import os

from nsml_shim import protocol
from nsml_shim.client.session import CURRENT


def _data_path(joined: str) -> str | list[str]:
    paths = [path for path in joined.split(os.pathsep) if path]
    return paths if len(paths) > 1 else "".join(paths)


_environ = os.environ

IS_ON_NSML: bool = CURRENT is not None
"""True inside a session."""
SESSION_NAME: str = CURRENT.name if CURRENT else ""
"""OWNER/DATASET/NUMBER of this session."""
DATASET_PATH: str | list[str] = _data_path(_environ.get(protocol.ENV_DATASET_PATH, ""))
"""Folder of the dataset; a list of folders when the session has several."""
DATASET_NAME: str = _environ.get(protocol.ENV_DATASET_NAME, "")
"""Name of the dataset; several are joined by commas, as in the middle of the session's name."""
HAS_DATASET: bool = bool(DATASET_PATH)
"""True if the session has a dataset."""
IS_DATASET: bool = HAS_DATASET
"""The name HAS_DATASET had in 2017."""
GPU_NUM: int = int(_environ.get(protocol.ENV_GPU_NUM) or 0)
"""Number of GPUs the session has; scripts use its truth value as "use cuda"."""
NSML_NFS_OUTPUT: str = ""
"""Writable network folder of the in-house platform; always empty here."""
PARALLEL_WORLD: list[str] = [os.uname().nodename]
"""Hosts of a multi-node session; this platform's sessions have one."""
PARALLEL_PORTS: list[int] = []
"""Ports of a multi-node session."""
MY_RANK: int = CURRENT.rank if CURRENT else 0
"""Rank of this process."""
