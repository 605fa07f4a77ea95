"""`palaver daemon logs`: print the log of the daemon of a data directory."""

from __future__ import annotations

from typing import Final

import click

from palaver.cli import exits, output, words
from palaver.cli.daemon import found
from palaver.cli.logfile import LogFile, for_people
from palaver.cli.runtime import run_async
from palaver.cli.settings import Settings
from palaver.client import PalaverError
from palaver.clock import SystemClock
from palaver.paths import log_path
from palaver.wire.chats import Info

# Seconds between two reads of the file: too short to notice, long enough to be cheap.
FOLLOW_S: Final = 0.25


@click.command(
    epilog="""\b
Examples:
  palaver daemon logs
  palaver daemon logs --lines 500 --json | jq -c 'select(.level == "error")'
  palaver daemon logs -f
"""
)
@click.option("--lines", "-n", type=click.IntRange(min=0), default=50, help="How many lines (50).")
@click.option("--follow", "-f", is_flag=True, help="Print new lines as well, until ^c.")
@click.option("--json", "as_json", is_flag=True, help="Print the lines as they were written.")
@click.pass_obj
def logs(settings: Settings, lines: int, follow: bool, as_json: bool) -> None:
    """Print the end of the log of a daemon that a client started."""
    run_async(_logs(settings, lines, follow=follow, as_json=as_json))


async def _logs(settings: Settings, count: int, *, follow: bool, as_json: bool) -> int:
    running = await found(settings, "logs")
    if running is not None and running.info is not None and not running.info.private:
        words.notice(_elsewhere(running.info))
    path = log_path(running.data_dir if running is not None else settings.data_dir)

    def show(line: str) -> None:
        output.write_line(line if as_json else for_people(line))

    clock = SystemClock()
    try:
        with LogFile(path) as log:
            for line in log.last(count):
                show(line)
            while follow:
                await clock.sleep(FOLLOW_S)
                for line in log.more():
                    show(line)
    except FileNotFoundError as error:
        raise PalaverError(f"There is no log {path}: no client started a daemon there.") from error
    except OSError as error:
        raise PalaverError(f"The log {path} cannot be read: {error.strerror}.") from error
    return exits.FINISHED


def _elsewhere(info: Info) -> str:
    """Return where a daemon logs that was not started by a client."""
    said = "This daemon was not started by a client: it logs to its own standard error"
    if info.supervisor == "systemd" and info.unit:
        *user, unit = info.unit.split()
        return f"{said}, for  {' '.join(['journalctl', *user, '-u', unit])}."
    return f"{said}."
