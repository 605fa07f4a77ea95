"""Read API keys from environment, files or commands. A key is never printed, logged or stored."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec

from palaverd.config.types import Config, ProviderConfig
from palaverd.failures.redact import MASK, redact

COMMAND_TIMEOUT_S = 10.0  # a password manager that takes longer is waiting for the user
# Bytes. No key is as long; a command that writes more may never end.
_MAX_PRINTED = 64 * 1024
# Seconds between two checks whether a silent command has ended.
_GLANCE_S = 0.01
# Characters of a failed command's standard error to show: a line or two.
_MAX_SAID = 200
# A shorter word of a command's output is no secret; masking it would garble the message.
_MIN_SECRET = 4

# A long word of letters and digits: a key that was written where a command is expected.
_KEY_LIKE = re.compile(r"(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{16,}")

_DEFAULT_VARIABLES = {"anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY"}


class BadKey(msgspec.Struct, frozen=True):
    """An unusable key. `fault` says why, without any part of its value.

    It completes the sentence `The API key cannot be used: …`.
    """

    fault: str


Key = str | BadKey | None


def read_keys(config: Config, environment: Mapping[str, str]) -> dict[str, Key]:
    """Return each provider's key, None if it has none. Reads files and runs commands.

    An unusable key is an error of its provider alone. Commands run concurrently, so that a start
    waits for the slowest only.
    """
    if not config.providers:
        return {}
    with ThreadPoolExecutor(len(config.providers)) as pool:
        found = pool.map(lambda one: read_key(one, environment), config.providers.values())
        return dict(zip(config.providers, found, strict=True))


def read_key(config: ProviderConfig, environment: Mapping[str, str]) -> Key:
    """Return the key of one provider, None if there is none."""
    variable = key_variable(config)
    if variable is not None:
        return as_key(environment.get(variable, ""))
    source, _, rest = (config.api_key or "").partition(":")
    if source == "file":
        try:
            with Path(rest).expanduser().open("rb") as file:
                some = file.read(_MAX_PRINTED + 1)
            if len(some) > _MAX_PRINTED:
                return BadKey(f"its file holds more than {_MAX_PRINTED // 1024} KB")
            return as_key(_decoded(some))
        except (OSError, ValueError, RuntimeError) as error:  # the last one: no home for a `~`
            said = error.strerror if isinstance(error, OSError) else "no such path"
            return BadKey(f"its file {redact(rest)[:_MAX_SAID]} cannot be read: {said}")
    if source == "cmd":
        return _run(rest, environment)
    return as_key(config.api_key or "")


def as_key(text: str) -> Key:
    """Return a key without surrounding white space; None if it is empty.

    A key is sent in an HTTP header: characters that cannot be are refused here, where the error can
    be reported.
    """
    text = text.strip().strip("\ufeff").strip()
    if not text:
        return None
    if len(text.splitlines()) > 1:
        return BadKey("it has more than one line")
    if not all(" " <= character <= "~" for character in text):
        return BadKey("it has characters that are not printable ASCII")
    return text


def _decoded(raw: bytes) -> str:
    """Decode as UTF-8; invalid bytes become characters that no key may have."""
    return raw.decode("utf-8", "surrogateescape")


def _run(command: str, environment: Mapping[str, str]) -> Key:
    """Run a command in a shell, as it would be typed; return the key that it prints.

    If it fails, the error quotes its standard error, without anything that it printed to standard
    output, which may be a part of the key.
    """
    try:
        process = subprocess.Popen(
            command,
            shell=True,  # the user's own command: pipes, variables and ~ work
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environment),
            # So that its children can be killed with it.
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return BadKey(f"its command did not run ({type(error).__name__})")
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            printed, said = _listen(process, (process.stdout, process.stderr))
        except _Unending as error:
            return BadKey(f"its command {error}")
        finally:
            _kill(process)
    why = _why(said, printed, command)
    if process.returncode < 0:
        return BadKey(f"its command was ended by signal {-process.returncode}{why}")
    if process.returncode > 0:
        return BadKey(f"its command ended with code {process.returncode}{why}")
    key = as_key(printed)
    return BadKey(f"its command printed nothing{why}") if key is None else key


class _Unending(Exception):
    """A command timed out or printed too much; the message says which."""


def _listen(process: subprocess.Popen[bytes], pipes: tuple[IO[bytes], IO[bytes]]) -> list[str]:
    """Return what a command wrote to each pipe until it ended.

    Processes that it left running may keep the pipes open; they are not waited for.

    Raises:
        _Unending: it did not end in time, or wrote too much.
    """
    until = time.monotonic() + COMMAND_TIMEOUT_S
    written = {pipe: bytearray() for pipe in pipes}
    reading = list(pipes)
    for pipe in pipes:
        os.set_blocking(pipe.fileno(), False)
    while True:
        ended = process.poll() is not None  # checked first: all its output is in the pipes then
        ready, _, _ = select.select(reading, [], [], 0 if ended else _GLANCE_S)
        if ended and not ready:
            return [_decoded(bytes(written[pipe])) for pipe in pipes]
        for pipe in ready:
            some = os.read(pipe.fileno(), _MAX_PRINTED)
            written[pipe] += some
            if not some:
                reading.remove(pipe)
        if any(len(some) > _MAX_PRINTED for some in written.values()):
            raise _Unending(f"wrote more than {_MAX_PRINTED // 1024} KB")
        if time.monotonic() > until:
            raise _Unending(f"did not end within {COMMAND_TIMEOUT_S:g} s")


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a command that is still running, with its children."""
    if process.poll() is None:
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()


def _why(said: str, printed: str, command: str) -> str:
    """Return the reason from a failed command's standard error, with possible secrets masked."""
    secrets = {*printed.splitlines(), *printed.split(), *_KEY_LIKE.findall(command)}
    for word in sorted(secrets, key=len, reverse=True):
        if len(word) >= _MIN_SECRET:
            said = said.replace(word, MASK)
    clean = redact(said)[-_MAX_SAID:].strip().rstrip(".")
    return f": {clean}" if clean else ""


def key_variable(config: ProviderConfig) -> str | None:
    """Return the environment variable that the key comes from, None for another source."""
    if config.api_key is None:
        return _DEFAULT_VARIABLES.get(config.kind)
    if config.api_key.startswith("env:"):
        return config.api_key.removeprefix("env:")
    return None


def key_variables(config: Config) -> frozenset[str]:
    """Return the environment variables that keys come from."""
    found = (key_variable(provider) for provider in config.providers.values())
    return frozenset(name for name in found if name is not None)


def key_hint(name: str, config: ProviderConfig) -> str:
    """Return a phrase that says where the key is set, for error messages."""
    variable = key_variable(config)
    if variable is not None:
        return variable
    place = f"providers.{name}.api_key in config.toml"
    return f"the command of {place}" if (config.api_key or "").startswith("cmd:") else place
