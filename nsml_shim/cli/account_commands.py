"""login, logout, whoami, info, credit: there is one user and no server, and they say so."""

from __future__ import annotations

import os

import click

from nsml_shim.cli import tables, terminal
from nsml_shim.cli.verbs import Verb, accepted

ALONE = "This platform has one user and no server, so nobody is authenticated."


@click.command(cls=Verb)
@click.option("-u", "--username", help="Owner of everything that later commands make.")
@click.option("-t", "--team", help="The same; a team comes before a user name.")
@accepted("-p", "--password", metavar="TEXT", why="nobody is authenticated.")
@accepted("-e", "--encoding", metavar="NAME", why="terminals speak UTF-8.")
def login(username: str | None, team: str | None) -> None:
    """Choose as which owner later commands act; without an option, say who that is.

    The name is kept as `team` in nsml.toml; the variable NSML_TEAM overrules it.

    \b
    Example: nsml login -u someuser
    """
    from nsml_shim.commands import account

    terminal.note(ALONE)
    platform = terminal.open_platform()
    owner = team or username
    if owner:
        account.log_in(platform, owner)
        _warn_of_variable()
    terminal.info("Welcome to NSML!")
    click.echo(f"Acting as {terminal.open_platform().settings.owner}")


@click.command(cls=Verb)
def logout() -> None:
    """Act as the user of this machine again.

    \b
    Example: nsml logout
    """
    from nsml_shim.commands import account

    terminal.note(ALONE)
    account.log_out(terminal.open_platform())
    _warn_of_variable()
    click.echo(f"Acting as {terminal.open_platform().settings.owner}")


@click.command(cls=Verb)
def whoami() -> None:
    """Print the owner as which commands act.

    \b
    Example: nsml whoami
    """
    click.echo(terminal.open_platform().settings.owner)


@click.command(cls=Verb)
def info() -> None:
    """Sum up what belongs to the acting owner.

    \b
    Example: nsml info
    """
    from nsml_shim.commands import account

    found = account.info(terminal.open_platform())
    quota = f"{found.quota} GPUs at once" if found.quota else "none"
    click.echo(f"User: {found.owner}")
    click.echo(f"Home: {found.home}")
    click.echo(f"Sessions: {found.running + found.ended} ({found.running} running)")
    click.echo(f"Models: {found.models} ({tables.size(found.model_bytes)})")
    click.echo(f"Datasets: {found.datasets}")
    click.echo(f"Quota: {quota}")


@click.command(cls=Verb)
def credit() -> None:
    """Print the balance, of which there is none: credits are not kept here.

    \b
    Example: nsml credit
    """
    platform = terminal.open_platform()
    terminal.note("Credits are not kept on one's own machine; `quota` in nsml.toml limits GPUs.")
    click.echo(f"User : {platform.settings.owner} credit unlimited")


def _warn_of_variable() -> None:
    if os.environ.get("NSML_TEAM"):
        terminal.note("The variable NSML_TEAM is set and overrules nsml.toml in this terminal.")
