"""`palaver doctor`: check the installation, the daemon, the models and the terminal."""

from __future__ import annotations

import click

from palaver.cli import exits, output
from palaver.cli.runtime import run_async
from palaver.cli.settings import Settings


@click.command(
    short_help="Check what works, what does not, and what helps.",
    epilog="\b\nExamples:\n  palaver doctor\n  palaver --socket PATH doctor --json\n",
)
@click.option("--json", "as_json", is_flag=True, help="Print each finding as one line of JSON.")
@click.pass_obj
def doctor(settings: Settings, as_json: bool) -> None:
    """Look at the installation, the daemon, the models and the terminal.

    It starts the daemon if none runs, and calls no model. The exit code is 1 when something that
    is needed does not work.
    """
    run_async(_doctor(settings, as_json=as_json))


async def _doctor(settings: Settings, *, as_json: bool) -> int:
    from palaver.cli.findings import examine

    broken = False
    async for finding in examine(settings):
        broken = broken or finding.state == "broken"
        if as_json:
            output.write_json(finding)
        else:
            output.write_line(finding.line())
    return exits.FAILED if broken else exits.FINISHED
