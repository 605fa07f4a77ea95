"""Counts of tokens out of what servers report, by any of the names that are about."""

from __future__ import annotations

from typing import Any

from palaver.wire.messages import Usage
from palaverd.providers.loose import count, mapping

# What is counted -> where a report may have it; the first place with a count is read. Two names
# are a field in a field.
_NAMES: dict[str, tuple[tuple[str, ...], ...]] = {
    "input": (
        ("prompt_tokens",),  # OpenAI's Chat Completions
        ("input_tokens",),  # OpenAI's Responses, Anthropic
        ("prompt_eval_count",),  # Ollama's own
    ),
    "output": (("completion_tokens",), ("output_tokens",), ("eval_count",)),
    "reasoning": (
        ("completion_tokens_details", "reasoning_tokens"),
        ("output_tokens_details", "reasoning_tokens"),
        ("output_tokens_details", "thinking_tokens"),  # Anthropic
        ("reasoning_tokens",),  # xAI, some gateways
    ),
    "read": (
        ("prompt_tokens_details", "cached_tokens"),
        ("input_tokens_details", "cached_tokens"),
        ("cache_read_input_tokens",),  # Anthropic
        ("prompt_cache_hit_tokens",),  # DeepSeek
        ("cached_tokens",),  # Moonshot
    ),
    "written": (
        ("prompt_tokens_details", "cache_write_tokens"),
        ("input_tokens_details", "cache_write_tokens"),
        ("cache_creation_input_tokens",),  # Anthropic
    ),
}
# llama.cpp's own, where no other report comes: `prompt_n` are those that were not in the cache.
_TIMINGS = {"input": "prompt_n", "output": "predicted_n", "read": "cache_n"}


class Counts:
    """Takes reports one by one: a later one overrides an earlier one, count by count.

    A 0 overrides nothing: gateways fill up with it what they do not know. `inclusive` says that
    the input's count includes what the cache gave or took, as OpenAI counts.
    """

    def __init__(self, *, inclusive: bool) -> None:
        self._inclusive = inclusive
        self._known: dict[str, int] = {}
        self._timings: dict[str, int] = {}

    def take(self, report: Any) -> None:
        """Read a report; what is no count in it is passed over."""
        fields = mapping(report)
        for what, places in _NAMES.items():
            for place in places:
                found = fields.get(place[0])
                number = count(found if len(place) == 1 else mapping(found).get(place[1]))
                if number is not None:
                    self._known[what] = number or self._known.get(what, 0)
                    break

    def take_timings(self, report: Any) -> None:
        """Read what llama.cpp measured."""
        for what, name in _TIMINGS.items():
            number = count(mapping(report).get(name))
            if number is not None:
                self._timings[what] = number

    @property
    def output(self) -> int | None:
        """Tokens of the answer, as far as is known."""
        return self._known.get("output")

    def usage(self) -> Usage:
        """Return neutral counts: those of the input leave out what the cache gave or took."""
        known, fresh = self._known, self._known.get("input")
        if not known:
            known = self._timings
            fresh = known.get("input")
        elif self._inclusive and fresh is not None:
            fresh = max(0, fresh - known.get("read", 0) - known.get("written", 0))
        return Usage(
            input_tokens=fresh,
            output_tokens=known.get("output"),
            reasoning_tokens=known.get("reasoning"),
            cache_write_tokens=known.get("written"),
            cache_read_tokens=known.get("read"),
        )
