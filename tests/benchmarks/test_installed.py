"""The platform is installed from a copy of its sources, or the benchmark says why not."""

from __future__ import annotations

import pytest

from benchmarks.installed import SOURCE, NotInstalled, install


def test_without_a_way_to_the_packages_the_reason_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    before = sorted(SOURCE.iterdir())
    with pytest.raises(NotInstalled, match=r"cannot be installed: .*\w"):
        install(tmp_path / "new")
    assert sorted(SOURCE.iterdir()) == before
