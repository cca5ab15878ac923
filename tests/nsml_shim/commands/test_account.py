"""As whom commands act, on a platform with one user."""

import pytest


@pytest.fixture
def typed(nsml):
    """Type a command without NSML_TEAM, which would overrule every login."""
    return lambda *words, **kwargs: nsml(*words, NSML_TEAM="", **kwargs)


def test_login_chooses_the_owner_of_later_commands_and_keeps_other_settings(typed, home, guest):
    home.mkdir()
    (home / "nsml.toml").write_text('quota = 2\nteam = "old"\nmax_files = 7\n')
    assert typed("whoami").stdout == "old\n"
    shown = typed("login", "-u", "someuser", "-p", "x", "-e", "CP949")
    assert shown.stdout == "Acting as someuser\n"
    assert "] Welcome to NSML!" in shown.stderr
    assert "nobody is authenticated" in shown.stderr
    assert typed("whoami").stdout == "someuser\n"
    assert "total number of files: 7 " in typed("run", "--show-limits").stdout
    (guest / "main.py").write_text("")
    assert typed("run", "-g", "0").stdout == "Session someuser/None/1 is started\n"
    typed("login", "-t", "team_12")
    assert typed("whoami").stdout == "team_12\n"
    typed("logout")
    assert "team" not in (home / "nsml.toml").read_text()
    assert "letters, digits" in typed("login", "-u", "../x", code=1).stderr


def test_the_variable_overrules_a_login_and_that_is_told(nsml):
    shown = nsml("login", "-u", "someuser")
    assert shown.stdout == "Acting as team\n"
    assert "NSML_TEAM is set and overrules" in shown.stderr


def test_info_and_credit_tell_what_there_is(nsml, guest):
    (guest / "main.py").write_text("")
    nsml("run", "-g", "0")
    lines = nsml("info").stdout.splitlines()
    assert lines[0] == "User: team"
    assert lines[2].startswith("Sessions: 1 (")
    assert nsml("credit").stdout == "User : team credit unlimited\n"
    assert nsml("--hide-client-log", "credit").stderr == ""


def test_more_gpus_than_the_quota_are_refused(nsml, home):
    home.mkdir()
    (home / "nsml.toml").write_text("quota = 1\n")
    refused = nsml("run", "-g", "2", code=1).stderr.splitlines()
    assert refused[0] == "Error: Fail to run nsml session due to lack of available GPU for you"
    assert refused[1].startswith("Your maximum available GPU is 1")
    assert refused[2] == "The number of GPU you requested is 2 GPU"


def test_the_version_is_told_one_fact_per_line(nsml):
    lines = nsml("--version").stdout.splitlines()
    assert lines[0].startswith("Version: ")
    assert all(": " in line for line in lines)
