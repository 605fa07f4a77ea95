"""Read token counts from usage reports, under any of the field names in use."""

from __future__ import annotations

from typing import Any

from palaver.wire.messages import Usage
from palaverd.providers.lenient import count, mapping

# Count -> fields of a report that may have it; the first one present is read. Two names are a
# nested field.
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
# llama.cpp's own, if there is no other report: `prompt_n` counts tokens that were not cached.
_TIMINGS = {"input": "prompt_n", "output": "predicted_n", "read": "cache_n"}


class Counts:
    """Collects usage reports: a later one overrides an earlier one, count by count.

    A 0 overrides nothing: gateways send it for what they do not know. `inclusive` says that the
    input count includes tokens read from or written to the cache, as OpenAI counts.
    """

    def __init__(self, *, inclusive: bool) -> None:
        self._inclusive = inclusive
        self._known: dict[str, int] = {}
        self._timings: dict[str, int] = {}

    def take(self, report: Any) -> None:
        """Read a report; ignore what is no count."""
        fields = mapping(report)
        for what, places in _NAMES.items():
            for place in places:
                found = fields.get(place[0])
                number = count(found if len(place) == 1 else mapping(found).get(place[1]))
                if number is not None:
                    self._known[what] = number or self._known.get(what, 0)
                    break

    def take_timings(self, report: Any) -> None:
        """Read llama.cpp's timings."""
        for what, name in _TIMINGS.items():
            number = count(mapping(report).get(name))
            if number is not None:
                self._timings[what] = number

    @property
    def output(self) -> int | None:
        """Tokens of the answer, None if unknown."""
        return self._known.get("output")

    def usage(self) -> Usage:
        """Return neutral counts: the input excludes tokens read from or written to the cache."""
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
