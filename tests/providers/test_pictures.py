"""Pictures of tool results, in the form of each protocol, and for models that do not see."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest

from palaver.wire.messages import Part, Picture, Text, ToolCall, ToolResult
from palaverd.providers.anthropic_request import arguments
from palaverd.providers.neutral import ModelRequest, Turn
from palaverd.providers.openai_request import chat_arguments, responses_arguments
from palaverd.providers.prompt import MOST_PICTURES, bounded, shown
from palaverd.providers.terms import Refusal, Terms, learn
from providers.calling import KINDS, Kind, ask, call, made
from providers.strict import Body, refusal, strict

DATA = b"\x89PNG and so on"
CODED = base64.b64encode(DATA).decode()
URL = f"data:image/png;base64,{CODED}"
IN_WORDS = "[picture: PNG 4x3]"


def picture() -> Picture:
    return Picture("image/png", 4, 3, DATA)


def history(*results: Part) -> list[Turn]:
    calls: list[Part] = [
        ToolCall(one.call_id, "read_file", "{}") for one in results if isinstance(one, ToolResult)
    ]
    return [
        Turn("user", [Text("look")]),
        Turn("assistant", calls),
        Turn("tool", list(results)),
        Turn("user", [Text("and?")]),
    ]


def seen(**terms: Any) -> ModelRequest:
    result = ToolResult("one", "a.png", picture=picture())
    other = ToolResult("two", "text")
    return ask("", turns=history(result, other), terms=Terms(**terms))


def test_messages_has_the_picture_in_the_result() -> None:
    results = arguments(seen())["messages"][2]["content"]
    assert results[0]["content"] == [
        {"type": "text", "text": "a.png"},
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": CODED},
        },
    ]
    assert results[1]["content"] == "text"


def test_responses_has_the_picture_in_the_output() -> None:
    outputs = [
        item["output"]
        for item in responses_arguments(seen())["input"]
        if item["type"] == "function_call_output"
    ]
    assert outputs == [
        [{"type": "input_text", "text": "a.png"}, {"type": "input_image", "image_url": URL}],
        "text",
    ]


def test_chat_completions_has_the_picture_behind_all_results_of_the_step() -> None:
    messages = chat_arguments(seen())["messages"]
    roles = [one["role"] for one in messages]
    assert roles == ["system", "user", "assistant", "tool", "tool", "user"]
    assert [one["content"] for one in messages[3:5]] == [f"a.png\n{IN_WORDS}", "text"]
    assert messages[-1]["content"] == [
        {"type": "text", "text": "The picture of this result:"},
        {"type": "image_url", "image_url": {"url": URL}},
        {"type": "text", "text": "and?"},  # what the user wrote after it
    ]


@pytest.mark.parametrize("make", [arguments, responses_arguments, chat_arguments])
def test_a_model_that_does_not_see_gets_words(make: Any) -> None:
    sent = str(make(seen(pictures=False)))
    assert IN_WORDS in sent
    assert CODED not in sent


@pytest.mark.parametrize("count", [1, MOST_PICTURES, MOST_PICTURES + 1, 2 * MOST_PICTURES + 5])
def test_the_newest_pictures_are_shown_and_the_others_are_words(count: int) -> None:
    results = [ToolResult(f"c{n}", f"{n}.png", picture=picture()) for n in range(count)]
    turns = [turn for result in results for turn in history(result)]
    parts = [part for turn in shown(ask("", turns=turns)) for part in turn.parts]
    found = [part for part in parts if isinstance(part, ToolResult)]
    visible = [part.picture is not None for part in found]
    assert visible == sorted(visible)
    assert min(count, MOST_PICTURES // 2) <= sum(visible) <= MOST_PICTURES
    hidden = visible.count(False)
    assert all(part.text.endswith(IN_WORDS) for part in found[:hidden])


def test_what_is_shown_of_the_past_changes_seldom() -> None:
    """Each change of the prompt's beginning costs what a provider's cache holds of it."""
    changes = set()
    for count in range(1, 61):
        results: list[Part] = [ToolResult(f"c{n}", "", picture=picture()) for n in range(count)]
        [_, _, tool, _] = shown(ask("", turns=history(*results)))
        changes.add(sum(part.picture is None for part in tool.parts))  # type: ignore[union-attr]
    assert len(changes) == 5


def test_the_prompt_is_not_changed() -> None:
    request = seen(pictures=False)
    before = str(request.turns)
    shown(request)
    assert str(request.turns) == before


def test_a_picture_counts_in_the_estimate_of_the_prompt() -> None:
    def room(*, pictures: bool) -> int:
        asked = seen(context=5000, pictures=pictures)
        return bounded(msgspec.structs.replace(asked, max_output_tokens=10_000))

    assert 1500 < room(pictures=False) - room(pictures=True) < 1600


@pytest.mark.parametrize(
    "said",
    [
        "Invalid content type. image_url is only supported by certain models.",  # OpenAI
        "image input is not supported - hint: if this is unexpected, you may need to provide the "
        "mmproj",  # llama.cpp
        "m is not a multimodal model",  # vLLM
        "At most 0 image(s) may be provided in one prompt.",  # vLLM
        "unknown variant `image_url`, expected `text`",  # DeepSeek
        "this model is missing data required for image input",  # Ollama
    ],
)
def test_a_refusal_of_all_pictures_is_learned(said: str) -> None:
    assert learn(Terms(), Refusal(400, said), 100) == Terms(pictures=False)


@pytest.mark.parametrize(
    "said",
    [
        "Could not process image",
        "messages.2.content.0.image.source.base64: image exceeds 5 MB maximum: 6 > 5",
        "At least one of the image dimensions exceed max allowed size: 8000 pixels",
        "You uploaded an unsupported image. Please make sure your image is valid.",
        "At most 5 image(s) may be provided in one prompt.",
    ],
)
def test_a_refusal_of_one_picture_says_nothing_of_others(said: str) -> None:
    assert learn(Terms(), Refusal(400, said), 100) is None


@pytest.mark.parametrize("kind", KINDS)
async def test_a_model_that_refuses_pictures_is_asked_again_in_words(kind: Kind) -> None:
    def rule(body: Body) -> tuple[int, Any] | None:
        return refusal("This model does not support image input.") if CODED in str(body) else None

    async with strict(kind, rule) as server, made(kind, server.url) as provider:
        for asked in (2, 3):  # remembered
            assert (await call(provider, seen())).text == "fine"
            assert len(server.asked) == asked
        assert IN_WORDS in str(server.asked[-1])
