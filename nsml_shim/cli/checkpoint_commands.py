"""fork, resume, infer: sessions that begin with a checkpoint."""

from __future__ import annotations

import click

from nsml_shim.cli import terminal
from nsml_shim.cli.options import ByteSize, names, split_args, verbose_option
from nsml_shim.cli.run_command import started
from nsml_shim.cli.verbs import Verb, accepted
from nsml_shim.errors import InvalidOption
from nsml_shim.names import SessionName, split_checkpoint


@click.command(cls=Verb)
@click.option("-c", "--checkpoint", help="Checkpoint to go on from. [default: the newest]")
@click.option("-a", "--args", help="Arguments of the new session. [default: those of the old one]")
@click.option("-g", "--gpus", type=click.IntRange(0), help="GPUs. [default: as before]")
@click.option("--cpu", "--cpus", "cpus", type=click.IntRange(0), help="CPUs. [default: as before]")
@click.option("--memory", type=ByteSize(), help="Memory. [default: as before]")
@click.option("--shm-size", type=ByteSize(), help="Shared memory. [default: as before]")
@click.option("-m", "--memo", default="", help="Description.")
@verbose_option
@click.argument("session")
def fork(
    session: str,
    checkpoint: str | None,
    args: str | None,
    gpus: int | None,
    cpus: int | None,
    memory: int | None,
    shm_size: int | None,
    memo: str,
    verbose: bool,
) -> None:
    """Start a new session from a checkpoint, with the code of the old one.

    The script gets `--pause 1 --iteration CHECKPOINT` in addition.

    \b
    Example: nsml fork -c last team/review_img/1
    """
    from nsml_shim.commands import fork as command

    platform = terminal.open_platform()
    source, named = split_checkpoint(session, None)
    request = command.ForkRequest(
        source=source,
        checkpoint=checkpoint or named,
        args=None if args is None else split_args(args),
        gpus=gpus,
        cpus=cpus,
        memory=memory,
        shm_size=shm_size,
        memo=memo,
    )
    started(platform, command.fork(platform, request), verbose=verbose)


@click.command(cls=Verb)
@verbose_option
@click.argument("session")
def resume(session: str, verbose: bool) -> None:
    """Go on from the newest checkpoint of a session that has ended, as a new session.

    \b
    Example: nsml resume team/review_img/1
    """
    from nsml_shim.commands import fork as command

    platform = terminal.open_platform()
    started(platform, command.resume(platform, SessionName.parse(session)), verbose=verbose)


@click.command(cls=Verb)
@click.option("-d", "--dataset", "datasets", multiple=True, help="Other dataset than before.")
@click.option("-e", "--entry", help="Other script of the uploaded code than before.")
@verbose_option
@accepted("--nfs-output", why="there is no NFS; keep files in the working directory.")
@click.argument("session")
@click.argument("checkpoint", required=False)
def infer(
    session: str,
    checkpoint: str | None,
    datasets: tuple[str, ...],
    entry: str | None,
    verbose: bool,
) -> None:
    """Keep a checkpoint loaded in a session that answers `nsml exec`.

    The script gets `--mode infer --pause 1`. The session stays until `nsml stop` or `nsml rm -f`.

    \b
    Example: nsml infer team/review_img/1 best
             nsml exec team/review_img/2 "nsml.infer(input='base64,aGVsbG8=')"
    """
    from nsml_shim.commands import infer as command

    platform = terminal.open_platform()
    source, named = split_checkpoint(session, checkpoint)
    if named is None:
        raise InvalidOption("CHECKPOINT", "", f"a name; `nsml model ls {source}` lists them")
    request = command.InferRequest(
        source=source,
        checkpoint=named,
        datasets=names(datasets) if datasets else None,
        entry=entry,
    )
    started(platform, command.infer(platform, request), verbose=verbose)
