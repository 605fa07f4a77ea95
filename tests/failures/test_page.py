"""docs/failures.md has the current messages, all of them, and they are helpful."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

from failures.page import EXAMPLES, page
from palaver.wire.errors import KINDS
from palaver_tui.keymap.actions import ACTIONS, key_name
from palaverd.failures import wording
from palaverd.failures.classify import classify

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "failures.md"
DAEMON = ROOT / "server" / "palaverd"
CASES = [
    pytest.param(kind, one, id=f"{kind}: {one.when}")
    for kind, examples in EXAMPLES.items()
    for one in examples
]


def test_the_document_is_what_the_code_says() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text == page() + "\n", "run make docs"


def test_every_kind_has_its_examples() -> None:
    assert EXAMPLES.keys() == KINDS


@pytest.mark.parametrize(("kind", "one"), CASES)
def test_an_example_is_of_its_kind(kind: str, one: object) -> None:
    assert classify(one.signals).kind == kind  # type: ignore[attr-defined]


def test_every_sentence_in_the_code_is_on_the_page() -> None:
    """Each literal beginning of a message in wording.py is found in some example."""
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


# A key in the client's notation, or in Textual's; `[^a-z]` is a regular expression.
_KEYS = re.compile(
    r"⏎|(?<!\[)\^(?:[a-z]\b|[A-Z][a-z]+|[←→↑↓])|\bF(?:[1-9]|1[0-2])\b|\bEsc\b|(?i:\b(?:ctrl|alt|shift)\+)"
)
_ACTIONS = re.compile(r"\b(?:{})\b".format("|".join(re.escape(one.id) for one in ACTIONS)))


def keys_and_actions_in(source: str) -> list[str]:
    """Return the client's keys and actions in a module's strings, docstrings included."""
    texts = [n.value for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Constant)]
    said = "\n".join(text for text in texts if isinstance(text, str))
    return _KEYS.findall(said) + _ACTIONS.findall(said)


def test_nothing_in_the_daemon_names_a_key_of_the_client_or_its_actions() -> None:
    found = {
        f"{path.relative_to(DAEMON)}: {name}"
        for path in sorted(DAEMON.rglob("*.py"))
        for name in keys_and_actions_in(path.read_text(encoding="utf-8"))
    }
    assert not found


def test_each_action_would_be_found_and_each_key_that_is_no_plain_word() -> None:
    for action in ACTIONS:
        assert keys_and_actions_in(f'help("{action.id}")') == [action.id]
        for key in action.keys:
            if "+" in key or key in ("escape", "enter") or re.fullmatch(r"f\d+", key):
                assert keys_and_actions_in(f'"""Press {key_name(key)} now."""'), key
