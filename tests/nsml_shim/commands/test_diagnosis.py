"""A script that refuses an argument of the platform: the parsers themselves complain."""

import json
import subprocess
import sys

import pytest

from nsml_shim.commands.diagnosis import explain

SCRIPTS = {
    "argparse": "import argparse\nargparse.ArgumentParser().parse_args()",
    "optparse": "import optparse\noptparse.OptionParser().parse_args()",
    "getopt": "import getopt, sys\ngetopt.getopt(sys.argv[1:], '', ['mode='])",
    "click": "import click\nclick.command()(lambda: None)()",
}
LINES = {
    "argparse": "parser.add_argument('--iteration', type=str, default='0')",
    "optparse": "parser.add_option('--iteration', type='str', default='0')",
    "getopt": "'iteration=' to the long options given to getopt",
    "click": "@click.option('--iteration', type=str, default='0')",
}
# Neither fire nor absl is installed here; these are their own words.
TOLD = {
    "ERROR: Could not consume arg: --iteration\nUsage: main.py": "a parameter iteration='0' of",
    "FATAL Flags parsing error:\n  Unknown command line flag 'iteration'. Did you mean: x": "flags.DEFINE_string('iteration', '0', '')",
}


def complaint(code: str, *words: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
    )
    assert run.returncode
    return run.stderr


@pytest.mark.parametrize("parser", SCRIPTS)
def test_the_missing_argument_is_named_with_the_line_to_add(parser):
    told = explain(complaint(SCRIPTS[parser], "--iteration", "best"), "main.py")
    assert told == f"main.py does not declare --iteration; add {LINES[parser]}"


@pytest.mark.parametrize("text", TOLD, ids=["fire", "absl"])
def test_the_parsers_that_are_not_installed_are_known_as_well(text):
    assert TOLD[text] in explain(text, "main.py")


def test_several_missing_arguments_are_named_together():
    told = explain(complaint(SCRIPTS["argparse"], "--mode", "test", "--pause", "1"), "run.py")
    assert told.startswith("run.py does not declare --mode and --pause; add ")
    assert "type=int, default=0" in told


def test_a_value_that_is_refused_is_told():
    code = (
        "import argparse\np = argparse.ArgumentParser()\n"
        "p.add_argument('--iteration', type=int)\np.add_argument('--mode', choices=['train'])\n"
        "p.parse_args()"
    )
    assert "let --iteration take it: type=str" in explain(
        complaint(code, "--iteration", "best"), "m.py"
    )
    assert "add 'test' to the choices of --mode" in explain(
        complaint(code, "--mode", "test"), "m.py"
    )


def test_an_argument_of_the_users_own_is_none_of_our_business():
    assert explain(complaint(SCRIPTS["argparse"], "--learning_rate", "1"), "main.py") == ""


def test_the_cause_of_a_fork_names_the_line(nsml, guest):
    code = (guest / "main.py").read_text()
    cut = code.replace('parser.add_argument("--iteration", default="0")\n', "")
    cut = cut.replace('os.listdir(os.path.join(DATASET_PATH, "train"))', "[]")
    (guest / "main.py").write_text(cut)
    nsml("run")
    nsml("logs", "-f", "team/None/1")
    nsml("fork", "team/None/1")
    nsml("logs", "-f", "team/None/2")
    (fork, run) = json.loads(nsml("ps", "-a", "-j").stdout)
    assert run["cause"] == "finished"
    assert fork["cause"] == (
        "exited with code 2: main.py does not declare --iteration; "
        "add parser.add_argument('--iteration', type=str, default='0')"
    )
