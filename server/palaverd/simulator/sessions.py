"""Sessions: what the model says and calls in each step, from a TOML file.

A session is played by a message with `[[session=NAME]]`: the first step answers it, each further
one the results of the calls before.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from palaverd.simulator.prompt import Use
from palaverd.simulator.script import Script


class Called(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A call of a step."""

    tool: str
    arguments: dict[str, Any] = {}


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One answer: its text, and its calls. One without calls ends the turn."""

    text: str = ""
    calls: tuple[Called, ...] = ()

    def script(self, asked: Script) -> Script:
        """Return how to answer, at the rate that the message asked for."""
        uses = (Use(call.tool, msgspec.json.encode(call.arguments).decode()) for call in self.calls)
        return Script(prompt=asked.prompt, rate=asked.rate, text=self.text, calls=tuple(uses))


class Session(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The steps of a session."""

    steps: tuple[Step, ...]


class SessionError(ValueError):
    """A session's file cannot be read; the message says why."""


def read_session(file: Path) -> Session:
    """Return the session in a TOML file with a list `steps`.

    Raises:
        SessionError: there is none, or it is invalid.
    """
    try:
        return msgspec.toml.decode(file.read_bytes(), type=Session)
    except OSError as error:
        raise SessionError(f"{file}: cannot be read: {error.strerror}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SessionError(f"{file}: {error}.") from None
