"""Read JSON values of any type leniently: what has the wrong type is ignored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

# A larger token count is an error, and would not fit into the database.
_MOST = 10**12

# Depth of nesting to read; real servers use three levels at most.
_DEPTH = 8

# Fields of a part that may have its text.
_TEXTS = ("text", "content", "refusal", "value")
_THOUGHTS = ("thinking", "reasoning", "reasoning_content", "summary")
# Types of parts that are reasoning whatever they call their text.
_THINKING = ("thinking", "reasoning")


def mapping(value: Any) -> dict[str, Any]:
    """Return `value` if it is an object, else an empty one."""
    return value if type(value) is dict else {}


def listed(value: Any) -> list[Any]:
    """Return `value` if it is a list, `[value]` if it is an object, else []."""
    if type(value) is list:
        return value
    return [value] if type(value) is dict else []


def string(value: Any) -> str | None:
    """Return `value` if it is a non-empty string, else None."""
    return value if type(value) is str and value else None


def index(value: Any) -> int | None:
    """Return `value` as an int if it is one, also as a string of digits; else None."""
    if type(value) is int:
        return value
    if type(value) is str and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return None


def count(value: Any) -> int | None:
    """Return `value` as a number of tokens; None if it is none."""
    if type(value) is str:
        try:
            value = float(value)
        except ValueError:
            return None
    if type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= _MOST else None


def said(value: Any) -> str:
    """Return the text of a string, a part or a list of them, without reasoning."""
    if type(value) is str:
        return value
    return "".join(text for kind, text in pieces(value) if kind == "text")


def thought(value: Any) -> str:
    """Return the text of a string, a part or a list of them, including reasoning."""
    if type(value) is str:
        return value
    return "".join(text for _, text in pieces(value))


def pieces(value: Any, inside: str = "text") -> Iterator[tuple[str, str]]:
    """Yield kind (`text` or `reasoning`) and text of all parts of a value, in order.

    A value is a string, a part, or a list of such, nested up to a limit: Mistral sends reasoning as
    `[{"type": "thinking", "thinking": [{"type": "text", "text": "…"}]}]`.
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
    """Return whether an `error` is not empty: gateways send empty ones beside good content."""
    if type(value) in (dict, list) and deeper:
        inside = value.values() if type(value) is dict else value
        return any(meaningful(one, deeper - 1) for one in inside)
    return bool(value.strip()) if type(value) is str else bool(value)


def begun_object(text: str) -> str:
    """Return the first piece of a call's arguments with the brace that it must begin with.

    LiteLLM 1.83 on Anthropic's protocol mistakes the first piece, `{` from llama.cpp, for the
    block's start and drops it. Arguments are an object; a string that contains JSON (`"{…`) is left
    alone.
    """
    begun = text.lstrip()
    lost = begun.startswith('"') and not begun.startswith(('"{', '"['))
    return "{" + text if lost else text


def parse(data: bytes) -> Any:
    """Decode JSON that a strict decoder refuses: `NaN`, control characters, half a surrogate pair.

    Raises:
        ValueError: it is not JSON, or not UTF-8.
    """
    try:
        return json.loads(data.decode("utf-8-sig"), strict=False)
    except RecursionError:
        raise ValueError("too deep") from None
