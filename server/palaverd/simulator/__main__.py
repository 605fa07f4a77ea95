"""`python -m palaverd.simulator`: serve until a signal; the first line has the URL."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import click
import msgspec

from palaverd.simulator.app import DEFAULT_RATE, Simulator
from palaverd.simulator.scenarios import ScenarioError
from palaverd.simulator.scenarios import scenario as find_scenario
from palaverd.simulator.script import DirectiveError, manual, parse
from palaverd.simulator.sessions import SessionError, read_session


@click.command()
@click.option("--port", default=0, show_default=True, help="Port on 127.0.0.1; 0 chooses one.")
@click.option(
    "--rate", default=DEFAULT_RATE, show_default=True, help="Words per second; 0: no pause."
)
@click.option("--seed", default=0, show_default=True, help="The same seed, the same answers.")
@click.option("--scenario", metavar="NAME", help="A run of trouble: its name, or a TOML file.")
@click.option(
    "--session", "sessions", multiple=True, metavar="FILE", help="A session to play: a TOML file."
)
@click.option("--dialect", metavar="SERVER", help="Answer and fail as that server does.")
@click.option("--keyless", is_flag=True, help="Ask for no key, as a server at home.")
@click.option("--until-eof", is_flag=True, help="End when standard input does.")
@click.option("--directives", is_flag=True, help="List what can be written in a message, and exit.")
def main(
    port: int,
    rate: float,
    seed: int,
    scenario: str | None,
    sessions: tuple[str, ...],
    dialect: str | None,
    keyless: bool,
    until_eof: bool,
    directives: bool,
) -> None:
    """Serve a simulated model provider, on the loopback interface only. Any key will do.

    The first line on standard output is JSON: {"url": "http://127.0.0.1:PORT"}.
    """
    if directives:
        click.echo(manual())
        return
    try:
        found = find_scenario(scenario) if scenario else None
        if dialect is not None:
            parse(f"[[dialect={dialect}]]")
        simulator = Simulator(
            port=port,
            rate=rate,
            seed=seed,
            scenario=found,
            keyless=keyless,
            dialect=dialect,
            sessions={Path(file).stem: read_session(Path(file)) for file in sessions},
        )
        asyncio.run(_serve(simulator, until_eof=until_eof))
    except (ScenarioError, SessionError, DirectiveError) as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"cannot serve on 127.0.0.1:{port}: {error.strerror}") from None


async def _serve(simulator: Simulator, *, until_eof: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if until_eof:
        loop.add_reader(sys.stdin.fileno(), _stop_at_eof, stop)
    async with simulator:
        click.echo(msgspec.json.encode({"url": simulator.url}))
        await stop.wait()


def _stop_at_eof(stop: asyncio.Event) -> None:
    """Set `stop` at the end of standard input: the parent process has ended."""
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stop.set()


if __name__ == "__main__":
    main(prog_name="python -m palaverd.simulator")
