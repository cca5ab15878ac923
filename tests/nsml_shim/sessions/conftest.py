"""Wheels written by hand, and a folder of them in the place of every package index."""

import base64
import hashlib
import zipfile

import pytest


def make_wheel(folder, name, version="1.0", requires=(), tag="py3-none-any"):
    """A wheel with one module, written by hand: no network, no build tools."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {line}\n" for line in requires)
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        record += f"{path},sha256={digest.decode()},{len(text)}\n"
    with zipfile.ZipFile(folder / f"{name}-{version}-{tag}.whl", "w") as wheel:
        for path, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            wheel.writestr(path, text)


@pytest.fixture
def wheel():
    """Writes a wheel: `wheel(folder, name, version, requires, tag)`."""
    return make_wheel


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """A folder of wheels instead of an index, for uv and pip alike."""
    wheels = tmp_path / "wheels"
    make_wheel(wheels, "guestlib", "1.5")
    for name, value in (("FIND_LINKS", str(wheels)), ("NO_INDEX", "1")):
        monkeypatch.setenv(f"PIP_{name}", value)
        monkeypatch.delenv(f"UV_{name}", raising=False)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    return wheels
