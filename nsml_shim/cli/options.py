"""Option types and helpers that several commands share."""

from __future__ import annotations

import shlex
from typing import Any

import click

from nsml_shim.errors import InvalidOption


class ByteSize(click.ParamType[int]):
    """An amount of memory: `24G`, `512MB`, `24000000000`."""

    name = "SIZE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Bytes."""
        from nsml_shim.commands.launch import parse_memory

        return value if isinstance(value, int) else parse_memory(value)


def split_args(text: str) -> list[str]:
    """Split `-a "--lr 0.1 --name 'a b'"` into the words the script gets.

    Raises:
        InvalidOption: If a quote is not closed.
    """
    try:
        return shlex.split(text)
    except ValueError as error:
        raise InvalidOption("-a/--args", text, f"words in matching quotes ({error})") from None
