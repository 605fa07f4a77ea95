"""What a fact about a server is, and where each comes from. Pure.

One `Server` is one entry of the table. Requests begin with what it wants, answers are read with
what all of them send and say, `palaver doctor` and docs/servers.md tell it, and the simulator
plays it.
"""

from __future__ import annotations

from typing import Literal

import msgspec

# What a sentence or a code is about. `output`: the answer was allowed more tokens than the model
# can give; `pool`: the context that a server's slots share is full; `policy`: the account's own
# settings leave nobody who may answer; `loading`: the model is being read into memory; `plain`: a
# server with TLS was asked without it, or the other way round.
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
# What a finish word means. `whole`: the model came to an end. `cut`: a limit did. `filtered`: a
# filter did. `calls`: the model waits for its tools. `given up`: nobody will say the rest.
Meaning = Literal["whole", "cut", "filtered", "calls", "given up"]
# Where a server runs: on a machine of one's own, at its vendor's, or between us and others.
Place = Literal["home", "vendor", "gateway"]
Protocol = Literal["anthropic", "openai", "openai-compatible"]


class Source(msgspec.Struct, frozen=True):
    """Where a fact is written, or how it was seen: an address, a repository's file, a server.

    `version` is that of the server or of the text; empty where none is told.
    """

    where: str
    version: str = ""


class Mark(msgspec.Struct, frozen=True):
    """One way to recognise a server.

    `host`: of the base_url, `*` for anything between two dots; `port`: its usual one; `header`: one
    of a response, with the beginning of its value, as `server: llama.cpp`; `owner`: `owned_by` in
    the list of models; `path`: one that it alone answers, with a field of its answer, as
    `/props n_ctx`.
    """

    by: Literal["host", "port", "header", "owner", "path"]
    value: str
    source: Source


class Want(msgspec.Struct, frozen=True):
    """What a request must be like: a setting of config.toml, and the value that fits.

    `reasoning` is no setting: what a model thought is sent back only if this says `returned`.
    """

    what: Literal["limit_parameter", "stream_options", "system_role", "reasoning"]
    value: str | bool
    source: Source


class Sends(msgspec.Struct, frozen=True, kw_only=True):
    """What a stream of Chat Completions looks like.

    `reasoning` is the field of a delta that has it, or `parts`: content is a list of typed parts.
    `usage` says where the counts come: in a chunk of their own behind the finish, without a choice
    or with an empty one, in the chunk with the finish, under `x_groq`, or never. `cached` is where
    the count of cached tokens is. `done`: whether `[DONE]` ends it. `ping` is what keeps the
    connection open; None if nothing does.
    `opens` is what the first delta has beside the role: an empty or a null content, or nothing
    (`none`); `at once`: there is no such delta, the role comes with the first word. `timings`:
    llama.cpp's own counts stand beside the others.
    """

    source: Source
    reasoning: str | None = None
    usage: Literal["own chunk", "own choice", "with the finish", "x_groq", "never"] = "own chunk"
    cached: str | None = None
    done: bool = True
    ping: str | None = None
    opens: Literal["empty", "null", "none", "at once"] = "empty"
    timings: bool = False


# How an error body is built; `frames.py` has each.
Frame = Literal["openai", "messages", "list", "string", "bare", "detail", "base_resp"]


class Says(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence about a failure, as it was met.

    `pattern` finds it and its like in lower case; None where a code or another server's pattern
    does. With a `status` it is an answer of its own, whose body has `type` and `code`.
    """

    topic: Topic
    said: str
    source: Source
    pattern: str | None = None
    status: int | None = None
    type: str | None = None
    code: str | int | None = None


class Codes(msgspec.Struct, frozen=True):
    """Types and codes of error bodies that say by themselves what happened, in lower case."""

    topic: Topic
    names: tuple[str, ...]
    source: Source


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """Finish words by what they mean, in lower case, with `_` for spaces and hyphens."""

    source: Source
    whole: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    filtered: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    given_up: tuple[str, ...] = ()

    def by_meaning(self) -> dict[Meaning, tuple[str, ...]]:
        """Return the words under what they mean."""
        return {
            "whole": self.whole,
            "cut": self.cut,
            "filtered": self.filtered,
            "calls": self.calls,
            "given up": self.given_up,
        }


class Note(msgspec.Struct, frozen=True):
    """What a person should know: a sentence."""

    text: str
    source: Source


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """One entry. `name` is as its makers write it; `slug` names it in files and directives.

    `base_url` and `key` (the variable it is usually in) are for the example of a config.toml, by
    `protocol`. An entry that is only known for its words has no `base_url`.
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
        """Return the value that it wants for a setting; None where any will do."""
        return next((want.value for want in self.wants if want.what == what), None)

    def marked(self, by: str) -> tuple[str, ...]:
        """Return the marks of one kind."""
        return tuple(mark.value for mark in self.marks if mark.by == by)

    def saying(self, topic: str) -> Says | None:
        """Return what it answers about `topic`, with a status; None if nothing is known."""
        found = (one for one in self.says if one.topic == topic and one.status is not None)
        return next(found, None)

    def word(self, meaning: Meaning) -> str | None:
        """Return its own finish word for `meaning`; None if none is known."""
        known = (word for words in self.words for word in words.by_meaning()[meaning])
        return next(known, None)


def reported(where: str) -> Source:
    """Return the source of what people reported and nobody here has seen: `where` says where."""
    return Source(f"reported: {where}")
