"""The store that `nsml ps` is timed on holds what the table says."""

from __future__ import annotations

import json
import sys

import pytest

from benchmarks.cli import LIVING, OWNER, SESSIONS, command, fill, main
from nsml_shim.commands import listing
from nsml_shim.commands.platform import Platform
from nsml_shim.settings import load


def test_a_thousand_sessions_of_which_some_live(tmp_path):
    fill(tmp_path)
    platform = Platform(load({"NSML_HOME": str(tmp_path), "NSML_TEAM": OWNER}))
    living, every = (listing.sessions(platform, ended=ended) for ended in (False, True))
    assert (len(living), len(every)) == (LIVING, SESSIONS)
    assert all(line.session.summary for line in every[LIVING:])


def test_without_a_way_to_install_the_platform_the_reason_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    with pytest.raises(SystemExit) as end:
        main(["--quick"])
    assert end.value.code == 1
    assert "cannot be installed" in capsys.readouterr().err


def test_a_command_works_in_the_home_that_was_filled(tmp_path):
    told = tmp_path / "told"
    code = f"import json, os; json.dump(dict(os.environ), open({str(told)!r}, 'w'))"
    command([sys.executable, "-c", code], tmp_path / "home")()
    environment = json.loads(told.read_text())
    assert environment["NSML_HOME"] == str(tmp_path / "home")
    assert environment["NSML_TEAM"] == OWNER
