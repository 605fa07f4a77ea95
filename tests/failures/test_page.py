"""docs/failures.md shows the sentences as they are, all of them, and they help."""

from __future__ import annotations

import inspect
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from palaver.wire.errors import KINDS, ChatError, FailureAction
from palaver.wire.events import ErrorEvent
from palaver_tui.state.banner import banner
from palaver_tui.state.chat import ChatView
from palaver_tui.state.connection import Connection
from palaverd.failures import wording
from palaverd.failures.classify import ACTIONS, classify
from palaverd.failures.page import EXAMPLES, KEYS, page

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "failures.md"
CASES = [
    pytest.param(kind, one, id=f"{kind}: {one.when}")
    for kind, examples in EXAMPLES.items()
    for one in examples
]


def test_the_document_is_what_the_code_says() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text == page() + "\n", "run python -m palaverd.failures.page > docs/failures.md"


def test_every_kind_has_its_examples() -> None:
    assert EXAMPLES.keys() == KINDS


@pytest.mark.parametrize(("kind", "one"), CASES)
def test_an_example_is_of_its_kind(kind: str, one: object) -> None:
    assert classify(one.signals).kind == kind  # type: ignore[attr-defined]


def test_every_sentence_in_the_code_is_on_the_page() -> None:
    """Each literal beginning of a sentence in wording.py is found in some example."""
    source = inspect.getsource(wording)
    told = page()
    functions = source[source.index("def _overloaded") : source.index("SENTENCES:")]
    returned = re.findall(r'return \(?\s*f?"(?:\{[^}]+\})?([^"{]{9,})', functions)
    assert len(returned) > 20
    missing = [piece for piece in returned if piece.strip(" .") not in told]
    assert missing == []


@pytest.mark.parametrize(("kind", "one"), CASES)
def test_a_sentence_is_plain_and_an_ending_says_what_to_do(kind: str, one: object) -> None:
    error = classify(one.signals)  # type: ignore[attr-defined]
    end = wording.given_up(error, 10) if error.retryable else error
    assert not re.search(r"\b[2-5]\d\d\b", error.message), "a status code"
    assert not re.search(r"[a-z][A-Z]", error.message.replace("OpenAI", "")), "a class name"
    assert error.message[-1] in ".?"
    verbs = ("Try again", "try again", "hoose another", "Check", "Begin a new", "Edit", "anew")
    assert any(verb in end.message for verb in verbs), end.message


@pytest.mark.parametrize("action", KEYS)
def test_the_keys_are_those_that_the_interface_offers(action: FailureAction | None) -> None:
    kind = next((k for k, a in ACTIONS.items() if a == action), "rate_limit")
    error = ChatError(kind, "x", action=action, retry_after_ms=60_000)
    now = datetime(2025, 1, 1, tzinfo=UTC)
    view = ChatView("a", status="error", error=ErrorEvent(error).error)
    shown = banner(view, Connection("connected"), now)
    assert shown is not None
    offered = [key for keys, _, _ in shown.keys for key in keys.split()]
    named = re.findall(r"⏎|\^[a-z]|F\d", KEYS[action])
    assert sorted(named) == sorted(offered)
