"""What every test stands on: the real world is out of reach, the checkout is at hand."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session", autouse=True)
def own_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test sees the user's platform home or settings, and none downloads weights."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("NSML_TEAM", "NSML_SESSION_NAME", "NSML_SESSION_FOLDER", "NSML_DATABASE"):
            patch.delenv(name, raising=False)
        patch.setenv("NSML_HOME", str(tmp_path_factory.mktemp("nsml-home")))
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield


@pytest.fixture(scope="session")
def loopback() -> None:
    """What talks to itself needs it; without it such tests are skipped, and say so."""
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        try:
            client.connect(server.getsockname())
        except OSError:
            pytest.skip("the loopback interface is down, so processes cannot talk to each other")


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT
