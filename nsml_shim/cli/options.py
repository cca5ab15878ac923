"""Option types and helpers that several commands share."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

import click

from nsml_shim.errors import InvalidOption


class ByteSize(click.ParamType[int]):
    """An amount of memory: `24G`, `512MB`, `24000000000`."""

    name = "SIZE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Bytes."""
        from nsml_shim.commands.launch import parse_memory

        if isinstance(value, int):
            return value
        return parse_memory(value, param.opts[-1] if param else "SIZE")


def names(values: Sequence[str]) -> list[str]:
    """Values of an option that may be repeated, or hold several words joined by commas."""
    return [name for joined in values for name in joined.split(",") if name]


json_option = click.option(
    "-j", "--json-return", "as_json", is_flag=True, help="JSON instead of a table (docs/json.md)."
)
verbose_option = click.option("-v", "--verbose", is_flag=True, help="Tell more.")
force_option = click.option("-f", "--force", is_flag=True, help="Replace what is there already.")


def split_args(text: str) -> list[str]:
    """Split `-a "--lr 0.1 --name 'a b'"` into the words the script gets.

    Raises:
        InvalidOption: If a quote is not closed.
    """
    try:
        # A backslash at the end of a line continues it, as in a shell; shlex would keep the break.
        return shlex.split(text.replace("\\\r\n", "").replace("\\\n", ""))
    except ValueError as error:
        raise InvalidOption("-a/--args", text, f"words in matching quotes ({error})") from None
