"""The `palaver` command: its options, its commands, and error handling."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NoReturn

import click

from palaver import __version__
from palaver.cli import exits, output, words
from palaver.cli.commands import Commands
from palaver.cli.options import settings_of
from palaver.cli.settings import Settings
from palaver.cli.workspaces import workspace_option
from palaver.lean_aiohttp import begin_program

# Name and location. A command is imported when it is called, or listed by --help.
COMMANDS: Final[dict[str, str]] = {
    "run": "palaver.cli.run:run",
    "ls": "palaver.cli.ls:ls",
    "search": "palaver.cli.search:search",
    "tail": "palaver.cli.tail:tail",
    "show": "palaver.cli.show:show",
    "send": "palaver.cli.send:send",
    "stop": "palaver.cli.send:stop",
    "answer": "palaver.cli.answer_command:answer",
    "queue": "palaver.cli.queue:queue",
    "rename": "palaver.cli.edits:rename",
    "edit": "palaver.cli.edits:edit",
    "fork": "palaver.cli.edits:fork",
    "export": "palaver.cli.transfer:export",
    "import": "palaver.cli.transfer:import_",
    "clear": "palaver.cli.edits:clear",
    "pin": "palaver.cli.marks:pin",
    "unpin": "palaver.cli.marks:unpin",
    "label": "palaver.cli.marks:label",
    "read": "palaver.cli.marks:read",
    "archive": "palaver.cli.archive:archive",
    "unarchive": "palaver.cli.archive:unarchive",
    "rm": "palaver.cli.archive:rm",
    "attach": "palaver.cli.interface:attach",
    "doctor": "palaver.cli.doctor:doctor",
    "demo": "palaver.cli.demo:demo",
    "daemon": "palaver.cli.daemon:daemon",
    "login": "palaver.cli.login:login",
    "logout": "palaver.cli.login:logout",
    "servers": "palaver.cli.servers:servers",
}

EPILOG: Final = "\b\nExamples:\n" + "\n".join(
    (
        "  palaver                        the interface; a private daemon starts by itself",
        "  palaver demo                   the same without an API key, with a simulated model",
        '  palaver run "Why? And how?"    one answer, printed as it comes',
        "  palaver ls                     the chats",
        "  palaver --server ssh://you@box the interface, on the daemon of another machine",
        "",
        "\b",
        "Exit codes:",
        *(f"  {code:>3}  {meaning}" for code, meaning in exits.MEANINGS),
    )
)


@click.group(
    cls=Commands,
    name="palaver",
    table=COMMANDS,
    invoke_without_command=True,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False),
    help="The daemon's data directory ($PALAVER_DATA_DIR).",
)
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False),
    help="Configuration for a daemon that is started ($PALAVER_CONFIG).",
)
@click.option(
    "--server",
    metavar="ADDRESS",
    help="Another machine's daemon: https://host:port, ssh://user@host, or a name of client.toml"
    " ($PALAVER_SERVER).",
)
@click.option(
    "--socket",
    type=click.Path(),
    help="Use the daemon that listens here; never start one.",
)
@click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False),
    help="The CA (PEM) of an https:// server, if it is a private one.",
)
@click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False),
    help="The token for an https:// server, instead of the stored one.",
)
@click.option(
    "--remote-command",
    metavar="COMMAND",
    help="The command that ssh starts on an ssh:// server, if palaverd is not on its path.",
)
@workspace_option(
    "The directory with the files of chats that the interface begins. With a private daemon the"
    " current one."
)
@click.option(
    "--no-workspace", "without_workspace", is_flag=True, help="Chats that are begun have no files."
)
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.version_option(__version__, prog_name="palaver")
@click.pass_context
def palaver(
    ctx: click.Context,
    /,
    data_dir: str | None,
    config: str | None,
    debug: bool,
    workspace: str | None,
    without_workspace: bool,
    **server: str | None,
) -> None:
    """Conversations with language-model agents, kept by a daemon instead of by a terminal."""
    # `palaver demo` passes settings of its own.
    if not isinstance(ctx.obj, Settings):
        ctx.obj = settings_of(data_dir, config, debug=debug, **server)
    if workspace is not None and without_workspace:
        raise click.UsageError("--workspace and --no-workspace: give one of them.")
    if workspace is not None or without_workspace:
        ctx.obj = replace(ctx.obj, workspace=workspace, without_workspace=without_workspace)
    ctx.color = words.wants_color()
    if ctx.invoked_subcommand is None:
        from palaver.cli.interface import open_interface

        open_interface(ctx.obj)


def main() -> NoReturn:
    """Run the command line of this process."""
    begin_program("palaver")
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str], settings: Settings | None = None) -> int:
    """Run a command line; return its exit code. Errors become one sentence on stderr."""
    debug = settings.debug if settings is not None else "--debug" in arguments
    try:
        result = palaver.main(
            list(arguments), prog_name="palaver", standalone_mode=False, obj=settings
        )
    except click.ClickException as error:
        with words.ignore_write_errors():
            error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return exits.INTERRUPTED
    except output.OutputError as error:
        output.give_up_output()
        if str(error):
            words.failure(str(error))
        return error.code
    except Exception as error:  # noqa: BLE001 - a sentence instead of a traceback
        return _failed(error, debug=debug)
    # click returns the code of an Exit, or the command's return value.
    code = result if isinstance(result, int) else exits.FINISHED
    if said := output.lacking():
        words.failure(said)
        return code or exits.FAILED
    return code


def _failed(error: Exception, *, debug: bool) -> int:
    from palaver.client.errors import PalaverError

    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EIO):
        # From click's own output, such as --help.
        output.give_up_output()
        words.failure(f"Standard output could not be written: {error.strerror}.")
    elif debug:
        import traceback

        traceback.print_exception(error)
    elif isinstance(error, PalaverError):
        words.failure(str(error))
    else:
        words.failure(f"Internal error ({type(error).__name__}: {error}). See it with --debug.")
    return exits.FAILED
