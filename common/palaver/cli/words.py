"""Sentences and text for a person, on a terminal or in a pipe."""

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

# C0 except tab and newline, DEL, C1, and what turns the direction of text around: the first can
# drive a terminal, the last can make a command look like another one.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

# Where the wire's word is not the one that people would use. JSON keeps the wire's.
STATUS_WORDS: Final[dict[ChatStatus, str]] = {
    "waiting": "idle",
    "requires_action": "asks",
    "error": "failed",
}


def following(retry: RetryInfo) -> str:
    """Return what follows on a failure that is tried again. A model that loads has not failed."""
    wait = f"{retry.delay_ms / 1000:.1f} s"
    if retry.error.kind == "loading":
        return f"asked again in {wait}"
    return f"attempt {retry.attempt} of {retry.max_attempts} failed, next in {wait}"


def visible(text: str) -> str:
    """Return `text` with control characters shown instead of obeyed."""
    return _UNSAFE.sub(_shown, text)


def _shown(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"<U+{code:04X}>"


def status(word: ChatStatus) -> str:
    """Return what a chat does, in a word for people: one that nothing runs in is `idle`."""
    return STATUS_WORDS.get(word, word)


def title(chat: Chat) -> str:
    """Return a chat's title as one line that cannot drive a terminal."""
    return " ".join(visible(chat.title).split()) or "(untitled)"


def for_stream(text: str, stream: IO[Any] | None) -> str:
    """Return `text` as it may be written: a terminal gets no control characters, a pipe all."""
    return visible(text) if stream is not None and stream.isatty() else text


def notice(sentence: str) -> None:
    """Say something beside the output, on standard error."""
    with telling():
        click.secho(for_stream(sentence, sys.stderr), err=True, dim=True, color=wants_color())


def failure(sentence: str) -> None:
    """Say why something failed, in one sentence on standard error."""
    name = click.style("palaver:", fg="red", bold=True)
    with telling():
        click.echo(f"{name} {for_stream(sentence, sys.stderr)}", err=True, color=wants_color())


@contextmanager
def telling() -> Iterator[None]:
    """Write to standard error in this; a command goes on where it is full or nobody reads it.

    There is nobody to tell that nobody can be told.
    """
    try:
        yield
    except OSError:
        lead_nowhere(sys.stderr, 2)


def lead_nowhere(stream: IO[Any] | None, descriptor: int) -> None:
    """Let go what a stream did not take: flushing it at exit would complain again."""
    if stream is not None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)


def wants_color() -> bool | None:
    """Return False under NO_COLOR (https://no-color.org), else None: the terminal decides."""
    return False if os.environ.get("NO_COLOR") else None
