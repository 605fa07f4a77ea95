"""`palaver demo`: client, daemon and simulated model in a temporary directory."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

import click

from palaver.cli import exits
from palaver.cli.settings import Settings

HINT: Final = (
    "A simulator answers in its name. With [[529]] in a message it fails; say hello for more."
)


@click.command(
    short_help="Try Palaver without an API key.",
    context_settings={"ignore_unknown_options": True},
    epilog="""\b
Examples:
  palaver demo
  palaver demo -- run "hello" --json
  palaver demo -- run "[[401]] hello" --json
  palaver demo -- run "[[529]] hello"
  palaver demo --scenario flaky-network
  palaver demo --scenario trouble.toml

\b
A line such as [[529]] or [[401]] in a prompt makes the simulated model fail that way. The
scenarios: rate-limited, overloaded-then-fine, dies-mid-sentence, bad-key, too-long, silent,
flaky-network, everything. A file is a scenario of your own:
  does = "Overloaded twice, then an answer that breaks off"
  directives = ["[[529 times=2]]", "[[cut after=20]]", ""]
""",
)
@click.option("--scenario", metavar="NAME", help="A scenario of failures: a name, or a TOML file.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def demo(settings: Settings, scenario: str | None, command: tuple[str, ...]) -> None:
    """Try Palaver without an API key: client, daemon and model simulator.

    Everything is in a new temporary directory, which is removed afterwards. With a COMMAND, that
    palaver command runs instead of the interface, and its exit code is the demo's.
    """
    from palaver.cli.interface import require_terminal
    from palaver.cli.main import run
    from palaver.clock import SystemClock
    from palaver.demo import demo as running_demo

    if not command:
        require_terminal()
    with _sigterm_unwinds(cancel=not command) as terminated, running_demo(scenario) as running:
        clock = SystemClock()
        code = run(
            list(command),
            Settings(
                data_dir=running.data_dir,
                config=running.config,
                debug=settings.debug,
                connector=lambda: running.connect(clock),
                hint=HINT,
            ),
        )
    if terminated:
        code = exits.TERMINATED
    if code:
        raise click.exceptions.Exit(code)


@contextmanager
def _sigterm_unwinds(*, cancel: bool) -> Iterator[list[int]]:
    """Turn SIGTERM into an exception, so that everything started is stopped and removed.

    With `cancel`, raise SIGINT instead: asyncio then cancels its main task, and an interface
    restores the terminal. An exception inside its event loop would leave it hanging. Yields a list
    that is empty until a SIGTERM arrives.
    """
    terminated: list[int] = []

    def unwind(number: int, _frame: FrameType | None) -> None:
        # Once: a second one must not interrupt the cleanup.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        terminated.append(number)
        if cancel:
            signal.raise_signal(signal.SIGINT)
        else:
            raise SystemExit(exits.TERMINATED)

    before = signal.signal(signal.SIGTERM, unwind)
    try:
        yield terminated
    finally:
        signal.signal(signal.SIGTERM, before)
