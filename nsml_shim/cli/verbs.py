"""What all commands share: how words are read, and an example at the end of every help."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

import click

from nsml_shim.cli import terminal
from nsml_shim.cli.places import Place

EXAMPLE = "Example:"


def hide_client_log() -> click.Option:
    """The option that NSML's client took everywhere; `terminal.note` obeys it."""

    def hide(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        if value:
            ctx.meta[terminal.HIDDEN] = True

    return click.Option(
        ["--hide-client-log"],
        is_flag=True,
        expose_value=False,
        callback=hide,
        help="Print nothing but the result.",
    )


class Verb(click.Command):
    """A command whose docstring ends with an example."""

    def __init__(self, name: str | None, **attributes: Any) -> None:
        text, mark, example = inspect.cleandoc(attributes.get("help") or "").partition(EXAMPLE)
        attributes["help"] = text.removesuffix("\b\n")
        if mark:
            attributes["epilog"] = f"\b\n{mark}{example}"
        super().__init__(name, **attributes)
        self.params.append(hide_client_log())

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words, among them `-e=main.py`."""
        takes_all = not self.context_settings.get("allow_interspersed_args", True)
        return super().parse_args(ctx, args if takes_all else _without_equals(args, self.params))


class Verbs(click.Group):
    """A group of commands; its bare name lists them. Some are imported when they are called."""

    command_class = Verb
    group_class = type

    def __init__(
        self,
        name: str | None = None,
        *,
        places: Mapping[str, Place] | None = None,
        **attributes: Any,
    ) -> None:
        attributes |= {"invoke_without_command": True, "no_args_is_help": False}
        super().__init__(name, **attributes)
        self.places = places or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands, sorted."""
        return sorted({*self.commands, *self.places})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by its name, imported if need be; None if there is none."""
        place = self.places.get(cmd_name)
        if place is not None and cmd_name not in self.commands:
            module = import_module(f"nsml_shim.cli.{place.module}")
            self.add_command(getattr(module, place.attribute), cmd_name)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their summaries; what is not imported stays so."""
        names = self.list_commands(ctx)
        limit = formatter.width - 6 - max(map(len, names))
        rows: list[tuple[str, str]] = []
        for name in names:
            place = self.places.get(name)
            command = click.Command(name, help=place.summary) if place else self.commands[name]
            if not command.hidden:
                rows.append((name, command.get_short_help_str(limit)))
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command of the group, or list them all."""
        if ctx._protected_args or ctx.args:  # pyright: ignore[reportPrivateUsage]
            return super().invoke(ctx)
        click.echo(ctx.get_help())
        return 0


def _without_equals(words: Iterable[str], parameters: Iterable[click.Parameter]) -> list[str]:
    """Take `-e=main.py` apart, as Go's flag parser did; click would keep the `=`.

    What is itself the value of an option stays as it is.
    """
    options = (param for param in parameters if isinstance(param, click.Option))
    valued = {flag for option in options if not option.is_flag for flag in option.opts}
    rest, plain = iter(words), list[str]()
    for word in rest:
        name, sign, value = word.partition("=")
        if word == "--":
            return [*plain, word, *rest]
        if sign and len(name) == 2 and name in valued:
            plain += [name, value]
        elif word in valued:
            plain += [word, *([following] if (following := next(rest, None)) is not None else [])]
        else:
            plain.append(word)
    return plain


def accepted(*flags: str, why: str, metavar: str = "") -> Any:
    """An option of NSML that can have no meaning on one machine: taken, told once, ignored.

    Args:
        *flags: Its spellings.
        why: What stands in its place.
        metavar: What its value is called; "" for an option without one.
    """

    def tell(ctx: click.Context, param: click.Parameter, value: object) -> None:
        if value:
            terminal.note(f"{param.opts[-1]} is accepted, but changes nothing here: {why}")

    kind: Mapping[str, Any] = {"metavar": metavar} if metavar else {"is_flag": True}
    text = f"Accepted, changes nothing: {why}"
    return click.option(*flags, expose_value=False, callback=tell, help=text, **kind)
