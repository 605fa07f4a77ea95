"""Whether each tool call of a prompt is followed by its result, which real providers require."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from palaverd.simulator.prompt import BadRequestError


def check_blocks(messages: Sequence[Mapping[str, Any]]) -> None:
    """Check a prompt of the Messages API: results are the first blocks of the next message.

    Raises:
        BadRequestError: they are not; worded as by Anthropic.
    """
    asked: set[str] = set()
    for number, message in enumerate(messages):
        blocks = _objects(message.get("content"))
        kinds = [block.get("type") for block in blocks]
        results = [str(b.get("tool_use_id")) for b in blocks if b.get("type") == "tool_result"]
        if missing := asked - set(results):
            raise BadRequestError(
                f"messages.{number - 1}: `tool_use` ids were found without `tool_result` blocks"
                f" immediately after: {_named(missing)}"
            )
        if strange := set(results) - asked:
            raise BadRequestError(
                f"messages.{number}: unexpected `tool_use_id` found in `tool_result` blocks:"
                f" {_named(strange)}"
            )
        if any(kind != "tool_result" for kind in kinds[: len(results)]):
            raise BadRequestError(f"messages.{number}: `tool_result` blocks must come first")
        asked = {str(block.get("id")) for block in blocks if block.get("type") == "tool_use"}
    _check_end(asked)


def check_tool_messages(messages: Sequence[Any]) -> None:
    """Check a prompt of Chat Completions: messages with results follow the one with the calls.

    Raises:
        BadRequestError: they do not; worded as by OpenAI.
    """
    open_: set[str] = set()
    for message in _objects(messages):
        if message.get("role") == "tool":
            if (answered := str(message.get("tool_call_id"))) not in open_:
                raise BadRequestError(
                    "messages with role 'tool' must be a response to a preceeding message with"
                    f" 'tool_calls': {answered}"
                )
            open_.discard(answered)
            continue
        _check_end(open_)
        open_ = {str(call.get("id")) for call in _objects(message.get("tool_calls"))}
    _check_end(open_)


def check_items(items: Sequence[Any]) -> None:
    """Check a prompt of the Responses API: each call has an output behind it.

    Raises:
        BadRequestError: one has none, or an output has no call; worded as by OpenAI.
    """
    open_: set[str] = set()
    for item in _objects(items):
        call_id = str(item.get("call_id"))
        if item.get("type") == "function_call":
            open_.add(call_id)
        elif item.get("type") == "function_call_output":
            if call_id not in open_:
                raise BadRequestError(
                    f"No tool call found for function call output with call_id {call_id}."
                )
            open_.discard(call_id)
        elif item.get("role") == "user":
            _check_end(open_)
    _check_end(open_)


def _check_end(open_: Iterable[str]) -> None:
    if names := _named(open_):
        raise BadRequestError(f"No tool output found for tool calls: {names}.")


def _named(ids: Iterable[str]) -> str:
    return ", ".join(sorted(ids))


def _objects(values: object) -> Sequence[Mapping[str, Any]]:
    return list(_only_objects(values)) if isinstance(values, list) else []


def _only_objects(values: Iterable[object]) -> Iterator[Mapping[str, Any]]:
    return (value for value in values if isinstance(value, Mapping))
