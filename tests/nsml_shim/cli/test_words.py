"""How the words of a command line are read: every form that public repositories use."""

import itertools
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

import nsml_shim.cli
from nsml_shim.cli.checkpoint_commands import fork
from nsml_shim.cli.options import split_args
from nsml_shim.cli.places import PLACES
from nsml_shim.cli.run_command import run
from nsml_shim.cli.verbs import Verbs
from nsml_shim.errors import InvalidOption

GIB = 1 << 30
ROOT = Path(__file__).parents[3]


def parsed(command: click.Command, *words: str) -> dict:
    return command.make_context(command.name, list(words)).params


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["-a--batch_size 64"], "args", "--batch_size 64"),
        (["-a", "--batch_size 64"], "args", "--batch_size 64"),
        (["-a=--batch_size 64"], "args", "--batch_size 64"),
        (["-a", "-e=3"], "args", "-e=3"),
        (["--args=-b=3 -c=4"], "args", "-b=3 -c=4"),
        (["-m", "-g=1", "-e=train.py"], "entry", "train.py"),
        (["-m", "-g=1", "-e=train.py"], "memo", "-g=1"),
        (["--memory=32G"], "memory", 32 * GIB),
        (["--memory", "24000000000"], "memory", 24_000_000_000),
        (["--memory", "50GB"], "memory", 50 * GIB),
        (["-e=main.py"], "entry", "main.py"),
        (["-d", "vox,musan_split"], "datasets", ("vox,musan_split",)),
        (["-d", "vox", "-d", "musan"], "datasets", ("vox", "musan")),
        (["-g", "0"], "gpus", 0),
        (["-g=0"], "gpus", 0),
        (["-c", "4"], "cpus", 4),
        (["--cpu", "4"], "cpus", 4),
        (["--shm-size", "16G"], "shm_size", 16 * GIB),
        (["train.py", "-i"], "file", "train.py"),
        (["-i", "folder/train.py"], "file", "folder/train.py"),
        (["-v"], "verbose", True),
        (["--no-verify"], "no_verify", True),
    ],
)
def test_run_reads_the_forms_of_public_repositories(words, name, value):
    assert parsed(run, *words)[name] == value


def test_options_may_stand_on_either_side_of_the_session():
    before = parsed(fork, "-a", "--lr 1", "team/toy/1")
    assert before == parsed(fork, "team/toy/1", "-a", "--lr 1")
    assert before["args"] == "--lr 1"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("--lr=0.02 --name x", ["--lr=0.02", "--name", "x"]),
        ("--conf '--opt x.json --dist True'", ["--conf", "--opt x.json --dist True"]),
        ("--tf '[transforms.Resize((512, 512)), x]'", ["--tf", "[transforms.Resize((512, 512)), x]"]),
        ("--a 1 \\\n  --b 2", ["--a", "1", "--b", "2"]),
        ("--a 1\\\r\n --b 2", ["--a", "1", "--b", "2"]),
        ("--title '한글 제목'", ["--title", "한글 제목"]),
    ],
)  # fmt: skip
def test_script_arguments_are_split_as_a_shell_does(text, words):
    assert split_args(text) == words


def test_an_open_quote_is_told():
    with pytest.raises(InvalidOption, match="matching quotes"):
        split_args("--name 'half")


@pytest.mark.parametrize(
    "words",
    [
        ["--nfs-output"],
        ["-n", "2"],
        ["--gpu-model", "P40"],
        ["--gpu-driver-version", "390.46"],
        ["--esm", "7"],
        ["--queue", "fast"],
    ],
)
def test_an_option_without_meaning_here_is_taken_and_told_once(words, capsys):
    parsed(run, *words)
    assert capsys.readouterr().err.count("is accepted, but changes nothing here") == 1
    parsed(run, "--hide-client-log", *words)
    parsed(run)
    assert capsys.readouterr().err == ""


def all_commands(group: click.Group, words: str):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{words} {name}", command
        if isinstance(command, click.Group):
            yield from all_commands(command, f"{words} {name}")


@pytest.mark.parametrize(
    ("words", "command"),
    [("nsml", nsml_shim.cli.nsml), *all_commands(nsml_shim.cli.nsml, "nsml")],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_help_ends_with_an_example_of_that_command(words, command):
    shown = command.get_help(click.Context(command, info_name=words)).rstrip()
    example = shown[shown.rindex("Example:") :]
    assert f"{example}\n".replace("\n", " ").startswith(f"Example: {words} ")
    assert all(line.lstrip().startswith(("Example:", "nsml ")) for line in example.splitlines())


def documented_options(words: str) -> str:
    """Options in the row of a command, and in the rows below it that name no other command."""
    document = (Path(__file__).parents[3] / "docs" / "commands.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in document.splitlines() if line.startswith("|")]
    (first,) = [at for at, row in enumerate(rows) if re.search(rf"`{words}[ `]", row[0])]
    below = itertools.takewhile(lambda row: row[0] == "|", rows[first + 1 :])
    return " ".join(row[1] for row in [rows[first], *below])


@pytest.mark.parametrize(
    ("words", "command"), list(all_commands(nsml_shim.cli.nsml, "nsml")), ids=lambda _: ""
)
def test_every_option_stands_in_the_row_of_its_command(words, command):
    if isinstance(command, click.Group):
        return
    text = documented_options(words)
    if words == "nsml dataset change":
        text += documented_options("nsml dataset push")
    flags = [flag for p in command.params if isinstance(p, click.Option) for flag in p.opts]
    missing = [flag for flag in flags if not re.search(rf"{re.escape(flag)}(?![\w-])", text)]
    assert set(missing) <= {"--hide-client-log"}


@pytest.mark.parametrize("words", [[], ["model"], ["dataset"]])
def test_a_bare_group_lists_its_commands(words, capsys):
    with pytest.raises(SystemExit) as end:
        nsml_shim.cli.main(words)
    assert not end.value.code
    assert "Commands:" in capsys.readouterr().out


@pytest.mark.parametrize("columns", ["", "0", "20", "70", "500"])
def test_a_help_is_as_wide_as_click_would_make_it(columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", columns)
    with pytest.raises(SystemExit):
        nsml_shim.cli.main(["--help"])
    ours = capsys.readouterr().out
    nsml_shim.cli.nsml.main(["--help"], prog_name="nsml", standalone_mode=False)
    assert ours == capsys.readouterr().out


def test_a_misspelt_command_is_told(capsys):
    with pytest.raises(SystemExit) as end:
        nsml_shim.cli.main(["sumbit"])
    assert end.value.code == 2
    assert "submit" in capsys.readouterr().err


def test_an_interrupted_command_says_what_was_aborted(capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(nsml_shim.cli.nsml, "main", interrupted)
    with pytest.raises(SystemExit) as end:
        nsml_shim.cli.main(["--hide-client-log", "submit", "team/toy/1", "best"])
    assert end.value.code == 130
    assert "] submit aborted: Interrupted by user\n" in capsys.readouterr().err


def test_a_command_that_ends_leaves_the_store_in_one_file(nsml, tmp_path):
    nsml("ps")
    (store,) = tmp_path.rglob("platform.db*")
    assert store.name == "platform.db"


def test_output_that_does_not_fit_is_no_success(tmp_path):
    command = f"{shlex.quote(sys.executable)} -m nsml_shim --help > /dev/full"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode != 0
    assert "No space left" in done.stderr


def test_everything_is_printed_before_the_process_ends():
    command = [sys.executable, "-m", "nsml_shim", "run", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.endswith('nsml run -d review_img -g 2 -a "--recipe smoke --seed 1"\n')


def test_the_list_of_commands_says_what_their_own_helps_begin_with():
    context = click.Context(nsml_shim.cli.nsml)
    for name, place in PLACES.items():
        command = nsml_shim.cli.nsml.get_command(context, name)
        assert command is not None
        assert command.get_short_help_str(limit=300) == place.summary
        assert not command.hidden


def test_the_list_of_commands_imports_none_of_them():
    code = (
        "import sys; from nsml_shim.cli import nsml\n"
        "try: nsml.main(['--help'], prog_name='nsml')\n"
        "except SystemExit: pass\n"
        "print([name for name in sys.modules if name.endswith(('_command', '_commands'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert re.search(r"^  submit +Score a checkpoint", done.stdout, re.MULTILINE)


def test_a_hidden_command_is_not_listed_and_can_be_called():
    group = Verbs("tool", commands={name: click.Command(name, hidden=name == "b") for name in "ab"})
    context = click.Context(group)
    assert re.findall(r"^  (\w)$", f"{group.get_help(context)}\n", re.MULTILINE) == ["a"]
    assert group.get_command(context, "b") is not None
