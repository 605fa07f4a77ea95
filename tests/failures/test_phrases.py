"""Every row of the table of phrases matches its own example, and decides its kind."""

from __future__ import annotations

import re

import pytest

from palaver.servers.facts import Topic
from palaverd.failures import Signals, classify
from palaverd.failures.phrases import PHRASES, Phrase

# The signals that come with a message about each topic, and the kind of the failure.
MEANS: dict[Topic, tuple[int | None, str]] = {
    "overloaded": (503, "overloaded"),
    "loading": (503, "loading"),
    "quota": (429, "usage_limit"),
    "auth": (400, "auth"),
    "pool": (500, "server_error"),
    "output": (400, "config"),
    "context": (400, "context_overflow"),
    "filter": (400, "content_filter"),
    "policy": (404, "config"),
    "model": (400, "config"),
    "config": (400, "config"),
    "rate": (None, "rate_limit"),
    "timeout": (None, "timeout"),
    "server": (None, "server_error"),
    "plain": (None, "config"),
}
CASES = [pytest.param(one, id=f"{one.topic}: {one.who}: {one.said[:30]}") for one in PHRASES]


@pytest.mark.parametrize("one", CASES)
def test_a_sentence_is_met_by_its_own_pattern(one: Phrase) -> None:
    assert re.search(one.pattern, one.said.lower()), one.pattern


@pytest.mark.parametrize("one", CASES)
@pytest.mark.parametrize("kind", ["invalid_request_error", None])
def test_a_sentence_says_what_happened(one: Phrase, kind: str | None) -> None:
    status, expected = MEANS[one.topic]
    seen = Signals(provider="acme", model="m", status=status, body_message=one.said)
    if kind is None or status == 400:
        seen = Signals(
            provider="acme", model="m", status=status, body_message=one.said, body_type=kind
        )
    assert classify(seen).kind == expected


@pytest.mark.parametrize("one", [one for one in PHRASES if one.topic == "model"])
def test_an_unknown_model_is_told_as_one_whatever_the_status(one: Phrase) -> None:
    for status in (400, 404, 503):
        seen = Signals(provider="acme", model="m", status=status, body_message=one.said)
        assert "does not know the model m" in classify(seen).message


# Messages that contain a word of a phrase, but mean something else.
@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (
            500,
            "llama runner process has terminated: error loading model: bad magic",
            "server_error",
        ),
        (503, "Failed to load model", "timeout"),
        (
            500,
            "the request exceeds the available context size, try increasing it",
            "context_overflow",
        ),
        (400, "This model is not loaded with a vision projector", "config"),
        (429, "Requests are limited by policy; slow down", "rate_limit"),
        (404, "The content of this path was not found", "config"),
    ],
)
def test_a_neighbour_is_something_else(status: int, said: str, kind: str) -> None:
    assert classify(Signals(provider="acme", status=status, body_message=said)).kind == kind
