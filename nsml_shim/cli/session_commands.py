"""logs, stop, rm, memo, command, gpustat."""

from __future__ import annotations

import click

from nsml_shim.cli import tables, terminal
from nsml_shim.cli.run_command import stream
from nsml_shim.cli.verbs import Verb
from nsml_shim.errors import InvalidOption
from nsml_shim.names import SessionName

GPU_COLUMNS = ("Device", "Name", "Utilization", "Memory used", "Memory total")


@click.command(cls=Verb)
@click.option("-f", "--follow", is_flag=True, help="Go on until the session has ended.")
@click.argument("session")
def logs(session: str, follow: bool) -> None:
    """Print the log of a session.

    NSML cut a stream after 30 minutes; here it lasts as long as the session.

    \b
    Example: nsml logs -f team/review_img/1
    """
    stream(terminal.open_platform(), SessionName.parse(session), follow=follow)


@click.command(cls=Verb)
@click.argument("session")
def stop(session: str) -> None:
    """End a running session; its log and checkpoints stay.

    \b
    Example: nsml stop team/review_img/1
    """
    from nsml_shim.commands import stop as command

    platform = terminal.open_platform()
    command.stop(platform, platform.find_session(SessionName.parse(session)))
    click.echo(f"Session {session} is stopped")


@click.command(cls=Verb)
@click.option("-f", "--force", is_flag=True, help="Also a session that is still running.")
@click.option("-s", "--skip", is_flag=True, help="Leave its files on disk.")
@click.argument("sessions", nargs=-1, required=True)
def rm(sessions: tuple[str, ...], force: bool, skip: bool) -> None:
    """Delete sessions with their logs and checkpoints; `*` and `?` match several.

    \b
    Example: nsml rm 'team/review_img/1*'
    """
    from nsml_shim.commands.stop import remove

    platform = terminal.open_platform()
    freed = 0
    matched = {row.id: row for pattern in sessions for row in platform.match_sessions(pattern)}
    if not matched:
        raise InvalidOption("SESSION", " ".join(sessions), "a pattern that matches a session")
    for row in matched.values():
        freed += remove(platform, row, force=force, keep_files=skip)
        click.echo(f"Session {row.name} is removed")
    click.echo(f"{tables.size(freed)} freed")


@click.command(cls=Verb)
@click.argument("session")
@click.argument("text", metavar="MEMO")
def memo(session: str, text: str) -> None:
    """Set the description of a session, whatever it was before.

    \b
    Example: nsml memo team/review_img/1 "First trial"
    """
    platform = terminal.open_platform()
    platform.sessions.set_memo(platform.find_session(SessionName.parse(session)), text)


@click.command(cls=Verb, name="command")
@click.argument("session")
def command_of(session: str) -> None:
    """Print the command that started a session.

    \b
    Example: nsml command team/review_img/1
    """
    from nsml_shim.commands.inspect import command_line

    click.echo(command_line(terminal.open_platform().find_session(SessionName.parse(session))))


@click.command(cls=Verb)
@click.argument("session")
def gpustat(session: str) -> None:
    """Show what a running session makes of its GPUs, or of its CPU workers.

    \b
    Example: nsml gpustat team/review_img/1
    """
    from nsml_shim.commands import gpustat as command

    found = command.gpustat(terminal.open_platform(), SessionName.parse(session))
    rows = [
        [
            use.device,
            use.name,
            f"{use.utilization} %" if use.utilization.isdecimal() else use.utilization,
            tables.size(use.memory_used),
            tables.size(use.memory_total),
        ]
        for use in found
    ]
    click.echo(tables.table(GPU_COLUMNS, rows))
