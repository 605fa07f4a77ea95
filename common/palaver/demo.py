"""A demo in a temporary directory: simulator, daemon and configuration.

It does not touch the user's own data, and leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from palaver.client import Endpoint, PalaverError
from palaver.clock import Clock
from palaver.daemon_process import STOP_S
from palaver.launch import ensure_daemon

# Provider timeouts for a scenario: seconds instead of minutes, since nobody watches a demo for two
# minutes.
PATIENCE: Final = """\
startup_seconds = 8
silence_seconds = 5
pings_seconds = 8
"""
CONFIG: Final = """\
default_model = "sonnet"

[providers.anthropic]
kind = "anthropic"
base_url = "{url}"
api_key = "simulator"
{patience}
[providers.openai]
kind = "openai"
base_url = "{url}/v1"
api_key = "simulator"
{patience}
[providers.local]
kind = "openai-compatible"
base_url = "{url}/v1"
api_key = "simulator"
{patience}
[models.sonnet]
provider = "anthropic"
model = "claude-sonnet-5-5"
context_limit = 200000

[models.gpt]
provider = "openai"
model = "gpt-5.4"
context_limit = 400000

[models.llama]
provider = "local"
model = "llama-4"
context_limit = 128000
"""


@dataclass
class Demo:
    """A running demo. `connect` starts its daemon if none answers."""

    directory: Path
    config: Path
    daemons: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def data_dir(self) -> Path:
        """The data directory of the demo's daemon."""
        return self.directory / "data"

    async def connect(self, clock: Clock) -> Endpoint:
        """Return the endpoint of the demo's daemon. Raises `PalaverError`."""
        return await ensure_daemon(
            self.data_dir, config=self.config, clock=clock, started=self.daemons.append
        )

    def stop_daemons(self) -> None:
        """Stop the daemons that `connect` started."""
        for process in self.daemons:
            _stop(process)


@contextmanager
def demo(scenario: str | None = None) -> Iterator[Demo]:
    """Run a simulator within the `with` block; then stop everything and remove it.

    Args:
        scenario: a sequence of faults for the simulator: its name, or a TOML file.

    Raises:
        PalaverError: the simulator could not be started.
    """
    # mkdtemp creates it with mode 0700: socket and configuration are private.
    directory = Path(tempfile.mkdtemp(prefix="palaver-demo-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        if scenario is not None and scenario.endswith(".toml"):
            # The simulator runs in a directory of its own.
            scenario = str(Path(scenario).absolute())
        url = stack.enter_context(_simulator(directory, scenario))
        config = directory / "config.toml"
        config.write_text(CONFIG.format(url=url, patience=PATIENCE if scenario else ""))
        config.chmod(0o600)
        running = Demo(directory, config)
        stack.callback(running.stop_daemons)
        yield running


@contextmanager
def _simulator(directory: Path, scenario: str | None) -> Iterator[str]:
    log = (directory / "simulator.log").open("wb")
    with log:
        process = subprocess.Popen(
            [sys.executable, "-m", "palaverd.simulator", "--port", "0", "--until-eof"]
            + (["--scenario", scenario] if scenario else []),
            # Open as long as this process lives: the simulator ends at its end.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=directory,
            # Ctrl-C goes to the client, which stops the simulator last.
            start_new_session=True,
        )
    assert process.stdout is not None
    try:
        yield _url(process.stdout, directory / "simulator.log")
    finally:
        _stop(process)
        process.stdout.close()
        if process.stdin is not None:
            process.stdin.close()


def _url(output: IO[bytes], log: Path) -> str:
    line = output.readline()
    try:
        return str(json.loads(line)["url"])
    except (ValueError, KeyError, TypeError) as error:
        lines = log.read_text(errors="replace").split("\n")
        said = next((text for text in reversed(lines) if text.strip()), "it said nothing")
        said = said.strip().removeprefix("Error: ")
        raise PalaverError(f"The model simulator did not start: {said}") from error


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
