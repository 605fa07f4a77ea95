"""Messages for the user on standard error, and text that is safe on a terminal."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from palaver.wire.chats import Chat, ChatStatus, RetryInfo
    from palaver.wire.questions import Asks

# C0 except tab and newline, DEL, C1, and bidirectional controls: the former control a terminal, the
# latter can make a command look like another one.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

# Statuses with another name for users. JSON output keeps the API's.
STATUS_WORDS: Final[dict[ChatStatus, str]] = {
    "waiting": "idle",
    "requires_action": "asks",
    "error": "failed",
}


# All of them, in the order in which they are listed for users.
STATUSES: Final[tuple[ChatStatus, ...]] = (
    "waiting",
    "pending",
    "running",
    "interrupting",
    "requires_action",
    "paused",
    "error",
)


def following(retry: RetryInfo) -> str:
    """Return what follows a retryable failure. A loading model has not failed."""
    wait = f"{retry.delay_ms / 1000:.1f} s"
    if retry.error.kind == "loading":
        return f"asked again in {wait}"
    return f"attempt {retry.attempt} of {retry.max_attempts} failed, next in {wait}"


def visible(text: str) -> str:
    """Return `text` with control characters replaced by visible symbols."""
    return _UNSAFE.sub(_shown, text)


def _shown(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"<U+{code:04X}>"


def status(word: ChatStatus) -> str:
    """Return the name of a status for users: a waiting chat is `idle`."""
    return STATUS_WORDS.get(word, word)


def title(chat: Chat) -> str:
    """Return a chat's title as one line that is safe on a terminal."""
    return " ".join(visible(chat.title).split()) or "(untitled)"


def asks(asked: Asks) -> str:
    """Return what a chat asks as one line: its question, or the tool that it waits for."""
    line = visible(asked.question or f"waits for {asked.tool}")
    return line if asked.calls == 1 else f"{line} (+{asked.calls - 1})"


def labels(chat: Chat) -> list[str]:
    """Return a chat's labels by name, as `name=value`, or `name` if the value is empty."""
    pairs = sorted(chat.labels.items())
    return [visible(f"{name}={value}" if value else name) for name, value in pairs]


def tools(chat: Chat) -> str:
    """Return what a chat's tools may do, and in which directory, as a sentence."""
    if chat.workspace is None:
        return f"Mode {chat.mode}, no workspace."
    host = f" on {visible(chat.workspace.host)}" if chat.workspace.host else ""
    return f"Mode {chat.mode}, workspace {visible(chat.workspace.path)}{host}."


def quoted(chat: Chat) -> str:
    """Return a chat's title in quotation marks."""
    return f"“{title(chat)}”"


def for_stream(text: str, stream: IO[Any] | None) -> str:
    """Return `text` as it may be written: without control characters on a terminal."""
    return visible(text) if stream is not None and stream.isatty() else text


def notice(sentence: str) -> None:
    """Print a notice on standard error."""
    with ignore_write_errors():
        click.secho(for_stream(sentence, sys.stderr), err=True, dim=True, color=wants_color())


def failure(sentence: str) -> None:
    """Print an error on standard error."""
    name = click.style("palaver:", fg="red", bold=True)
    with ignore_write_errors():
        click.echo(f"{name} {for_stream(sentence, sys.stderr)}", err=True, color=wants_color())


@contextmanager
def ignore_write_errors() -> Iterator[None]:
    """Ignore errors of standard error within a `with` block, as there is nowhere to report them."""
    try:
        yield
    except OSError:
        redirect_to_null(sys.stderr, 2)


def redirect_to_null(stream: IO[Any] | None, descriptor: int) -> None:
    """Redirect a stream to /dev/null, so that flushing it at exit does not fail."""
    if stream is not None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)


def wants_color() -> bool | None:
    """Return False under NO_COLOR (https://no-color.org), else None: the terminal decides."""
    return False if os.environ.get("NO_COLOR") else None
