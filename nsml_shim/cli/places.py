"""Where each command lives, and its line in the list of commands.

`nsml --help` prints the list without importing one of them, and a command imports its own module
alone: click is slow enough.
"""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """A command that has not been imported yet."""

    module: str
    """Below `nsml_shim.cli`."""
    attribute: str
    summary: str
    """First sentence of its help."""


PLACES = {
    "command": Place("session_commands", "command_of", "Print the command that started a session."),
    "credit": Place(
        "account_commands",
        "credit",
        "Print the balance, of which there is none: credits are not kept here.",
    ),
    "dataset": Place(
        "dataset_commands",
        "dataset",
        "Look at datasets and leaderboards; push, change, fetch and delete datasets.",
    ),
    "download": Place(
        "file_commands",
        "download",
        "Fetch the files of a session's working directory, as PATH/OWNER_DATASET_N.",
    ),
    "exec": Place(
        "talk_commands", "exec_", "Evaluate Python inside a running session and print the result."
    ),
    "fork": Place(
        "checkpoint_commands",
        "fork",
        "Start a new session from a checkpoint, with the code of the old one.",
    ),
    "gpustat": Place(
        "session_commands",
        "gpustat",
        "Show what a running session makes of its GPUs, or of its CPU workers.",
    ),
    "infer": Place(
        "checkpoint_commands",
        "infer",
        "Keep a checkpoint loaded in a session that answers `nsml exec`.",
    ),
    "info": Place("account_commands", "info", "Sum up what belongs to the acting owner."),
    "login": Place(
        "account_commands",
        "login",
        "Choose as which owner later commands act; without an option, say who that is.",
    ),
    "logout": Place("account_commands", "logout", "Act as the user of this machine again."),
    "logs": Place("session_commands", "logs", "Print the log of a session."),
    "memo": Place(
        "session_commands", "memo", "Set the description of a session, whatever it was before."
    ),
    "model": Place(
        "model_commands", "model", "Look at the checkpoints of a session, fetch and delete them."
    ),
    "plot": Place(
        "file_commands",
        "plot",
        "Write a page with the curves of sessions, one plot per metric; prints its path.",
    ),
    "ps": Place("ps_command", "ps", "List running sessions, newest first."),
    "pull": Place(
        "file_commands",
        "pull",
        "Fetch the files that were uploaded with a session, as PATH/OWNER_DATASET_N.",
    ),
    "resume": Place(
        "checkpoint_commands",
        "resume",
        "Go on from the newest checkpoint of a session that has ended, as a new session.",
    ),
    "rm": Place(
        "session_commands",
        "rm",
        "Delete sessions with their logs and checkpoints; `*` and `?` match several.",
    ),
    "run": Place("run_command", "run", "Start the entry script of this folder as a session."),
    "sh": Place(
        "talk_commands",
        "sh",
        "Run a shell command where a session works, with its files and its Python.",
    ),
    "stop": Place(
        "session_commands", "stop", "End a running session; its log and checkpoints stay."
    ),
    "submit": Place("submit_command", "submit", "Score a checkpoint on the hidden test data."),
    "whoami": Place("account_commands", "whoami", "Print the owner as which commands act."),
}
"""By the word that calls it."""
