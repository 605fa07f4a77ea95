"""An incomplete answer has a message, its own exit code, and its finish in the JSON."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from palaver.wire.errors import ChatError
from palaverd.config.types import ModelConfig, ProviderConfig
from palaverd.simulator import Simulator
from palaverd.simulator.prompt import Answer
from support.daemon import running_daemon, short_dir, simulator_config
from support.forkserver import fork

pytestmark = pytest.mark.process

KINDS = {"anthropic": "", "openai": "/v1", "openai-compatible": "/v1"}
CUT, FILTERED = "cut off at the model's output limit", "ended by the provider's content filter"
# The prompt, and the text and the end of its answer.
ANSWERS: dict[str, dict[str, Any]] = {
    "whole": {"text": "All of it."},
    "cut": {"text": "The first part of", "finish": "length"},
    "filtered": {"text": "The first part of", "finish": "filter"},
    "reasoned": {"text": "", "reasoning": "Hm. It is so."},
    "reasoned and cut": {"text": "", "reasoning": "Hm. It is", "finish": "length"},
    "blank": {"text": " \n "},
    "reasoned and blank": {"text": "\n\n", "reasoning": "Hm."},
}
ENDINGS = [
    ("whole", 0, "stop", ""),
    ("cut", 5, "length", f"The answer was {CUT}."),
    ("filtered", 5, "content_filter", f"The answer was {FILTERED}."),
    ("reasoned", 5, "stop", "There is no answer: the model reasoned, and wrote no text."),
    (
        "reasoned and cut",
        5,
        "length",
        f"There is no answer: the model reasoned, and wrote no text. The answer was {CUT}.",
    ),
    ("blank", 5, "stop", "There is no answer: the model wrote no text."),
    ("reasoned and blank", 5, "stop", "the model reasoned, and wrote no text"),
]


class Ending(Simulator):
    """Answers each prompt as the table says."""

    def _compose(self, prompt: Any, script: Any) -> Answer:
        composed = super()._compose(prompt, script)
        changes = {"reasoning": "", **ANSWERS.get(script.prompt.strip(), {})}
        return msgspec.structs.replace(composed, **changes)


@pytest.fixture
async def socket() -> AsyncIterator[str]:
    async with short_dir() as data_dir, Ending(rate=0) as simulator:
        url = simulator.url
        config = simulator_config(
            url,
            default_model="anthropic",
            providers={
                kind: ProviderConfig(kind=kind, base_url=url + path, api_key="sim")  # type: ignore[arg-type]
                for kind, path in KINDS.items()
            },
            models={kind: ModelConfig(provider=kind, model="sim-large") for kind in KINDS},
        )
        async with running_daemon(data_dir, config) as daemon:
            yield str(daemon.socket)


async def run(socket: str, *arguments: str) -> tuple[int | None, str, str]:
    process = await fork("palaver", "--socket", socket, *arguments, stdout=PIPE)
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


@pytest.mark.parametrize("kind", KINDS)
async def test_each_ending_has_its_sentence_code_and_finish(socket: str, kind: str) -> None:
    for asked, code, finish, sentence in ENDINGS:
        ended, out, err = await run(socket, "run", asked, "--model", kind, "--json")
        result = json.loads(out.splitlines()[-1])
        assert (ended, result["status"], result["finish"]) == (code, "finished", finish), asked
        assert result["text"].strip() == ANSWERS[asked]["text"].strip()
        assert result["error"] is None
        assert sentence in err
        assert err.count("\n") == bool(sentence), asked


async def test_what_there_is_of_an_answer_is_printed_and_nothing_else(socket: str) -> None:
    for asked, code, _finish, sentence in ENDINGS:
        ended, out, err = await run(socket, "run", asked)
        assert (ended, out.strip()) == (code, ANSWERS[asked]["text"].strip())
        assert sentence in err


async def test_a_chat_that_is_shown_says_how_its_answers_ended(socket: str) -> None:
    for asked, mark in (("cut", f"[{CUT}]"), ("filtered", f"[{FILTERED}]"), ("whole", "")):
        _, out, _ = await run(socket, "run", asked, "--json")
        chat_id = json.loads(out.splitlines()[-1])["chat_id"]
        _, shown, _ = await run(socket, "show", chat_id)
        assert mark in shown
        assert ("[" in shown) == bool(mark)


async def test_a_structured_error_has_all_its_fields_wherever_it_stands(socket: str) -> None:
    ended, out, _ = await run(socket, "run", "[[401]] hello", "--json")
    events = [json.loads(line) for line in out.splitlines()]
    errors = [event["error"] for event in events if event.get("error") is not None]
    assert ended == 3
    assert len(errors) > 1
    for error in errors:
        assert error["retryable"] is False
        assert set(error) == set(msgspec.structs.asdict(ChatError("generic", "")))
