from __future__ import annotations

import pytest

from palaverd.failures.redact import MASK, MAX_DETAIL, detail, redact

SECRETS = {
    "Anthropic's": "sk-ant-api03-AbCdEf0123456789-xyz",
    "OpenAI's": "sk-proj-AbCdEf0123456789",
    "half shown": "sk-abc***************wxyz",
    "GitHub's": "ghp_0123456789abcdefABCDEF",
    "Groq's": "gsk_0123456789abcdef",
    "Google's": "AIzaSyA0123456789abcdefghij",
    "Amazon's": "AKIAIOSFODNN7EXAMPLE",
    "web token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_keys_are_known_by_their_shape(secret: str) -> None:
    assert secret not in redact(f"Incorrect API key provided: {secret}. Check it.")


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcdef123456",
        "authorization=abcdef123456",
        '{"api_key": "abcdef123456"}',
        "x-api-key: abcdef123456",
        "https://user:abcdef123456@example.com/v1",
        "https://example.com/v1?key=1&api_key=abcdef123456&x=2",
        "password='abcdef123456'",
    ],
)
def test_values_are_known_by_their_place(text: str) -> None:
    assert "abcdef123456" not in redact(text)
    assert MASK in redact(text)


def test_a_known_secret_of_any_shape_is_hidden() -> None:
    assert redact("my dog is called Bello-the-3rd", ["Bello-the-3rd"]) == f"my dog is called {MASK}"


@pytest.mark.parametrize(
    "text",
    [
        "Overloaded",
        "prompt is too long: 212454 tokens > 200000 maximum",
        "The model `gpt-5-mini` does not exist or you do not have access to it.",
        "task-oriented asking-price",
    ],
)
def test_ordinary_sentences_stay(text: str) -> None:
    assert redact(text) == text


def test_control_sequences_do_not_reach_a_terminal() -> None:
    clean = redact("a\x1b]0;title\x07b\r\nc\u202ed\u2028e")
    assert all(c.isprintable() for c in clean)


def test_details_are_short_and_not_cut_inside_a_secret() -> None:
    secret = "sk-" + "a" * 60
    text = "x" * (MAX_DETAIL - 20) + " " + secret
    short = detail(text)
    assert short is not None
    assert len(short) <= MAX_DETAIL
    assert "sk-aa" not in short
    assert detail("y" * 2000) == "y" * (MAX_DETAIL - 1) + "…"
    assert detail("") is None


@pytest.mark.parametrize("echo", ["Zq81SECRET***", "Zq81****7x", "Zq81SEC…", "Zq81...RT7x"])
def test_a_key_that_is_echoed_in_part_is_masked(echo: str) -> None:
    said = redact(f"Incorrect key {echo} given", ["Zq81SECRETPART7x"])
    assert said == "Incorrect key [redacted] given"
    assert redact("Zq81 is *a* word...", ["Zq81SECRETPART7x"]) == "Zq81 is *a* word..."
