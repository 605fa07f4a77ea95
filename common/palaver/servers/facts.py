"""The types of the table of servers, with a source for each fact. Pure.

One `Server` is one entry. Requests are built as it wants them, responses are read with the words of
all entries, `palaver doctor` and docs/servers.md describe it, and the simulator imitates it.
"""

from __future__ import annotations

from typing import Literal

import msgspec

# The topic of an error message or code. `output`: the output limit is above the model's maximum;
# `pool`: the context that a server's slots share is full; `policy`: the account's settings exclude
# every provider of the model; `loading`: the model is being loaded into memory; `plain`: http and
# https are confused.
Topic = Literal[
    "overloaded",
    "loading",
    "quota",
    "auth",
    "pool",
    "output",
    "context",
    "filter",
    "policy",
    "config",
    "model",
    "rate",
    "timeout",
    "server",
    "plain",
]
# The meaning of a finish word. `whole`: the model finished. `cut`: a limit was reached. `filtered`:
# a filter ended it. `calls`: the model waits for its tools. `given up`: the server aborted.
Meaning = Literal["whole", "cut", "filtered", "calls", "given up"]
# Where a server runs: on the user's machine, at its vendor, or in front of other servers.
Place = Literal["home", "vendor", "gateway"]
Protocol = Literal["anthropic", "openai", "openai-compatible"]


class Source(msgspec.Struct, frozen=True):
    """Where a fact is written, or how it was seen: a URL, a file of a repository, a server.

    `version` is that of the server or of the text; empty if there is none.
    """

    where: str
    version: str = ""


class Mark(msgspec.Struct, frozen=True):
    """One way to recognise a server.

    `host`: of the base_url, `*` for any label; `port`: its default port; `header`: a response
    header, with the beginning of its value, as `server: llama.cpp`; `owner`: `owned_by` in the list
    of models; `path`: one that only this server has, with a field of its response, as `/props
    n_ctx`.
    """

    by: Literal["host", "port", "header", "owner", "path"]
    value: str
    source: Source


class Want(msgspec.Struct, frozen=True):
    """A requirement for requests: a setting of config.toml, and the value that fits.

    `reasoning` is no setting: a model's reasoning is sent back only if this is `returned`.
    """

    what: Literal["limit_parameter", "stream_options", "system_role", "vision", "reasoning"]
    value: str | bool
    source: Source


class Sends(msgspec.Struct, frozen=True, kw_only=True):
    """The form of a server's Chat Completions stream.

    `reasoning` is the field of a delta that has it, or `parts`: content is a list of typed parts.
    `usage` is where the token counts are: in a chunk of their own after the finish reason, without
    a choice or with an empty one, in the chunk with the finish reason, under `x_groq`, or never.
    `cached` is the field of the count of cached tokens. `done`: whether `[DONE]` ends it. `ping` is
    what keeps the connection open; None for nothing.

    `opens` is what the first delta has beside the role: an empty or a null content, or nothing
    (`none`); `at once`: there is no such delta, the role is sent with the first word. `timings`:
    llama.cpp's own counts are sent in addition.
    """

    source: Source
    reasoning: str | None = None
    usage: Literal["own chunk", "own choice", "with the finish", "x_groq", "never"] = "own chunk"
    cached: str | None = None
    done: bool = True
    ping: str | None = None
    opens: Literal["empty", "null", "none", "at once"] = "empty"
    timings: bool = False


# The form of an error body; `frames.py` builds each.
Frame = Literal["openai", "messages", "list", "string", "bare", "detail", "base_resp"]


class Says(msgspec.Struct, frozen=True, kw_only=True):
    """An error message, as it was received.

    `pattern` matches it and similar ones in lower case; None if a code or another server's pattern
    does. With a `status` it is a response of its own, whose body has `type` and `code`.
    """

    topic: Topic
    said: str
    source: Source
    pattern: str | None = None
    status: int | None = None
    type: str | None = None
    code: str | int | None = None


class Codes(msgspec.Struct, frozen=True):
    """Types and codes of error bodies that decide the topic alone, in lower case."""

    topic: Topic
    names: tuple[str, ...]
    source: Source


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """Finish words by meaning, in lower case, with `_` for spaces and hyphens."""

    source: Source
    whole: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    filtered: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    given_up: tuple[str, ...] = ()

    def by_meaning(self) -> dict[Meaning, tuple[str, ...]]:
        """Return the words of each meaning."""
        return {
            "whole": self.whole,
            "cut": self.cut,
            "filtered": self.filtered,
            "calls": self.calls,
            "given up": self.given_up,
        }


class Note(msgspec.Struct, frozen=True):
    """A sentence that users of the server should know."""

    text: str
    source: Source


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """One entry. `name` is as its makers write it; `slug` names it in files and directives.

    `base_url` and `key` (the usual environment variable) are for the example of a config.toml, by
    `protocol`. An entry for error messages alone has no `base_url`.
    """

    name: str
    slug: str
    place: Place
    protocol: Protocol = "openai-compatible"
    base_url: str | None = None
    key: str | None = None
    marks: tuple[Mark, ...] = ()
    wants: tuple[Want, ...] = ()
    sends: Sends | None = None
    frame: Frame = "openai"
    says: tuple[Says, ...] = ()
    codes: tuple[Codes, ...] = ()
    words: tuple[Words, ...] = ()
    notes: tuple[Note, ...] = ()

    def wanted(self, what: str) -> str | bool | None:
        """Return the value that it requires for a setting; None if any will do."""
        return next((want.value for want in self.wants if want.what == what), None)

    def marked(self, by: str) -> tuple[str, ...]:
        """Return the marks of one kind."""
        return tuple(mark.value for mark in self.marks if mark.by == by)

    def saying(self, topic: str) -> Says | None:
        """Return its error response about `topic`, with a status; None if unknown."""
        found = (one for one in self.says if one.topic == topic and one.status is not None)
        return next(found, None)

    def word(self, meaning: Meaning) -> str | None:
        """Return its finish word for `meaning`; None if unknown."""
        known = (word for words in self.words for word in words.by_meaning()[meaning])
        return next(known, None)


def reported(where: str) -> Source:
    """Return the source of a fact that users reported and that was not verified."""
    return Source(f"reported: {where}")
