"""Recorded responses of real servers are read correctly; see tests/servers for the recording."""

from __future__ import annotations

import msgspec
import pytest

from palaver.wire.errors import FailureKind
from palaver.wire.messages import Finish
from providers.calling import KINDS, Kind, Outcome, ask, call, made
from providers.raw import raw_server
from servers import toy
from servers.asking import CUT
from servers.recordings import FOLDER, PROBE, clean


class Read(msgspec.Struct, frozen=True):
    """The expected result of a recording: an answer with its finish and calls, or a failure."""

    text: str = ""
    thought: str = ""
    finish: Finish | None = None
    calls: list[tuple[str, dict[str, str]]] = []
    error: FailureKind | None = None
    counted: bool = False
    no_such_model: bool = False  # the message says so
    astray: bool = False  # the message doubts the address


def answered(
    text: str, thought: str = "", finish: Finish = "stop", *calls: tuple[str, dict[str, str]]
) -> Read:
    return Read(text, thought, finish, list(calls), counted=True)


_thought, _, _four = toy.text_of("think").removeprefix("<think>").partition("</think>")

# The first words of the endless answer.
_counted = "".join((toy.SCRIPTS["long"] * 2)[:CUT]).replace("▁", " ")

CASES: dict[str, Read] = {
    "answer": answered(toy.text_of("answer")),
    "reasoning": answered(_four, _thought),
    "second-turn": answered(toy.text_of("again")),
    "tool-call": answered("", "", "tool_calls", ("weather", {"city": "Oslo"})),
    "cut-at-limit": answered(_counted, "", "length"),
    "full-context": Read(error="context_overflow"),
    "wrong-model": Read(error="config", no_such_model=True),
    "wrong-key": Read(error="auth"),
    "loading": Read(error="loading"),
    "error-in-stream": Read(error="server_error"),
    "killed": Read(error="timeout"),
    "wrong-address": Read(error="config", astray=True),
    "after-an-unanswered-turn": answered(toy.text_of("answer")),
}


# Cases with another result, because of the server's own behaviour: server, protocol, case.
OTHERWISE: dict[tuple[str, str, str], Read] = {
    # The server behind it was killed after a word or two. It sends `stop`, and its counts: see
    # findings/litellm-half-an-answer-is-whole.sh.
    ("litellm", "openai-compatible", "killed"): answered("One"),
    ("litellm", "anthropic", "killed"): answered("One"),
    # It ends with `[DONE]`, and no finish word: retried once, then kept and marked.
    ("litellm", "openai", "killed"): Read("One", finish="unknown"),
}

# These send all as text, with the template's tags in it.
for case in ("reasoning", "tool-call"):
    OTHERWISE["llama-cpp-python", "openai-compatible", case] = answered(
        toy.text_of("think" if case == "reasoning" else "call")
    )
# Its own exception ends the body before the first word; the reason is only in its log.
OTHERWISE["llama-cpp-python", "openai-compatible", "full-context"] = Read(error="timeout")

# Servers that send no counts, by protocol.
UNCOUNTED = {("claude-code-router", "anthropic"), ("llama-cpp-python", "openai-compatible")}

FILES = [path for path in FOLDER.glob("*/*/*.http") if path.parts[-2] != PROBE]
ROWS = sorted({(path.parts[-3], path.parts[-2]) for path in FILES})


@pytest.mark.parametrize(("server", "kind"), ROWS)
async def test_a_recording_is_read_as_what_it_was(server: str, kind: Kind) -> None:
    """All of a server by one protocol, with one client: creating one is slow."""
    files = sorted((FOLDER / server / kind).glob("*.http"))
    found, expected = {}, {}
    async with (
        raw_server(*(file.read_bytes() for file in files)) as serving,
        made(kind, serving.url) as provider,
    ):
        for file in files:
            # The output limit of the requests: some servers do not send `length`.
            read = _read(await call(provider, ask("hi", max_output_tokens=CUT)))
            if file.stem == "killed":  # where it was killed is chance
                read = msgspec.structs.replace(read, text=read.text.partition(" ")[0])
            found[file.stem] = read
            wanted = OTHERWISE.get((server, kind, file.stem), CASES[file.stem])
            if (server, kind) in UNCOUNTED:
                wanted = msgspec.structs.replace(wanted, counted=False)
            expected[file.stem] = wanted
    assert found == expected


def _read(outcome: Outcome) -> Read:
    if outcome.error is not None:
        unknown = "does not know the model" in outcome.error.message
        astray = "Check its base_url" in outcome.error.message
        return Read(error=outcome.error.kind, no_such_model=unknown, astray=astray)
    assert outcome.completed is not None
    calls = [block for block in outcome.blocks if block.kind == "tool_call"]
    assert all(block.call_id for block in calls)
    usage = outcome.completed.usage
    thoughts = "".join(block.text for block in outcome.blocks if block.kind == "reasoning")
    return Read(
        outcome.text.strip(),
        thoughts.strip(),
        outcome.completed.finish,
        [(block.name or "", msgspec.json.decode(block.text)) for block in calls],
        counted=bool(usage.input_tokens and usage.output_tokens),
    )


def test_there_are_recordings_of_every_case_and_protocol() -> None:
    assert {path.parts[-2] for path in FILES} == set(KINDS)
    assert {path.stem for path in FILES} == set(CASES)


def test_a_recording_tells_nothing_of_the_machine() -> None:
    for path in FOLDER.glob("*/*/*.http"):
        raw = path.read_bytes()
        assert clean(raw) == raw, path
        for told in (b"/tmp/", b"/root", b"/home/", b"/usr/"):
            assert told not in raw, path
