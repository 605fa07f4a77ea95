"""Reads values that may be anything: what cannot be what it should be is passed over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

# A count beyond this is none, and would not fit into the database.
_MOST = 10**12

# How deep a value is looked into: what is meant stands at the third level at most.
_DEPTH = 8

# Where a part, or what stands in its place, keeps its text.
_TEXTS = ("text", "content", "refusal", "value")
_THOUGHTS = ("thinking", "reasoning", "reasoning_content", "summary")
# Types of parts that are reasoning whatever they call their text.
_THINKING = ("thinking", "reasoning")


def mapping(value: Any) -> dict[str, Any]:
    """Return `value` if it is an object, else an empty one."""
    return value if type(value) is dict else {}


def listed(value: Any) -> list[Any]:
    """Return `value` if it is a list, the only member if it is an object, else nothing."""
    if type(value) is list:
        return value
    return [value] if type(value) is dict else []


def string(value: Any) -> str | None:
    """Return `value` if it is a text with something in it."""
    return value if type(value) is str and value else None


def index(value: Any) -> int | None:
    """Return a number that says which one is meant, also where it came as a text."""
    if type(value) is int:
        return value
    if type(value) is str and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return None


def count(value: Any) -> int | None:
    """Return a number of tokens; None for what is none."""
    if type(value) is str:
        try:
            value = float(value)
        except ValueError:
            return None
    if type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= _MOST else None


def said(value: Any) -> str:
    """Return the text of a text, a part or a list of them; thoughts in it are left out."""
    if type(value) is str:
        return value
    return "".join(text for kind, text in pieces(value) if kind == "text")


def thought(value: Any) -> str:
    """Return all text of a text, a part or a list of them: it stands where thoughts do."""
    if type(value) is str:
        return value
    return "".join(text for _, text in pieces(value))


def pieces(value: Any, inside: str = "text") -> Iterator[tuple[str, str]]:
    """Yield kind (`text` or `reasoning`) and text of all that a value says, in its order.

    A value is a text, a part, or a list of such, however deep (to a bound): Mistral sets thoughts
    as `[{"type": "thinking", "thinking": [{"type": "text", "text": "…"}]}]`.
    """
    yield from _pieces(value, inside, _DEPTH)


def _pieces(value: Any, inside: str, deeper: int) -> Iterator[tuple[str, str]]:
    if type(value) is str:
        if value:
            yield inside, value
    elif not deeper:
        return
    elif type(value) is list:
        for one in value:
            yield from _pieces(one, inside, deeper - 1)
    elif type(value) is dict:
        kind = value.get("type")
        if type(kind) is str and kind.startswith(_THINKING):
            inside = "reasoning"
        names = _TEXTS + _THOUGHTS if inside == "reasoning" else _TEXTS
        name = next((name for name in names if _holds(value.get(name))), None)
        if name is None and (thoughts := next((n for n in _THOUGHTS if value.get(n)), None)):
            name, inside = thoughts, "reasoning"
        if name is not None:
            yield from _pieces(value[name], inside, deeper - 1)


def _holds(value: Any) -> bool:
    return bool(value) and type(value) in (str, list, dict)


def meaningful(value: Any, deeper: int = _DEPTH) -> bool:
    """Say whether an `error` says anything: gateways send empty ones beside good content."""
    if type(value) in (dict, list) and deeper:
        inside = value.values() if type(value) is dict else value
        return any(meaningful(one, deeper - 1) for one in inside)
    return bool(value.strip()) if type(value) is str else bool(value)


def begun_object(text: str) -> str:
    """Return the first piece of a call's arguments with the brace that they begin with.

    LiteLLM 1.83 on Anthropic's protocol takes the first piece for the block's own start, and
    drops it: a brace, as llama.cpp sends it. Arguments are an object; a text that holds JSON
    itself (`"{…`) is left as it is.
    """
    begun = text.lstrip()
    lost = begun.startswith('"') and not begun.startswith(('"{', '"['))
    return "{" + text if lost else text


def parse(data: bytes) -> Any:
    """Decode JSON that a strict decoder refuses: `NaN`, control characters, half a surrogate.

    Raises:
        ValueError: it is no JSON at all, or no UTF-8.
    """
    try:
        return json.loads(data.decode("utf-8-sig"), strict=False)
    except RecursionError:
        raise ValueError("too deep") from None
