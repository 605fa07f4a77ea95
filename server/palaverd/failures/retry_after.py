"""Parse when a provider asks to retry: from a header, a field of the body, or its text."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

# A longer hint makes no sense, and adding it to a date may overflow.
_LONGEST_MS = 366 * 24 * 3600 * 1000
# A larger number of seconds is a Unix time (this one is in 1985), beyond the second bound one in
# milliseconds, as OpenRouter's x-ratelimit-reset.
_SECONDS_SINCE_1970 = 5e8
_MS_SINCE_1970 = 5e11

# Stricter than Python's float(): no `1_0`, `nan` or digits of other scripts.
_NUMBER = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_UNITS_MS = {"ms": 1, "milli": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_UNIT = r"(?:ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)(?![a-z0-9])"
_SPAN = re.compile(rf"({_NUMBER})\s*({_UNIT}|(?:[hm](?=[0-9])))", re.ASCII)
_SPANS = rf"(?:{_NUMBER}\s*(?:{_UNIT}|[hmd](?=[0-9]))[\s,]*(?:and\s+)?)+"
# "Please try again in 6.5s", "retry after 26 seconds", "wait 1m30s": a word for waiting, then the
# duration, with no other number between them.
_IN_WORDS = re.compile(
    rf"\b(?:try|retry|retrying|again|wait|available|resets?)\b[^.,\d]{{0,40}}?({_SPANS})", re.ASCII
)
_DATE = re.compile(r"[A-Z][a-z]{2,8}, \d[^,]*?GMT|[A-Z][a-z]{2,8}, \d[^,]*")

# Headers to use without `retry-after`: the IETF's draft and common variants. Those of one bucket
# count if that bucket is empty.
_RESETS = ("x-ratelimit-reset", "ratelimit-reset")
_BUCKETS = ("requests", "tokens")
HEADERS = frozenset(
    {"retry-after", "retry-after-ms", "date", *_RESETS}
    | {f"x-ratelimit-{what}-{bucket}" for bucket in _BUCKETS for what in ("reset", "remaining")}
)


def retry_after_ms(headers: Mapping[str, str], at: datetime | None = None) -> int | None:
    """Return the hint of the headers in milliseconds, or None if there is none.

    `retry-after-ms` (milliseconds, both vendors' own) goes before `retry-after` (seconds, also
    fractions, or an HTTP date; RFC 9110, 10.2.3; also `3s`, `1m30s`, or an ISO 8601 time, as some
    servers send), before the headers that say when a limit is reset. A date is relative to the
    response's own `date` if it has one, since the two clocks may differ, else to `at`. A date in
    the past is 0. Of several hints the longest counts.
    """
    hint = _most(_number(one, 1) for one in headers.get("retry-after-ms", "").split(","))
    if hint is not None:
        return hint
    since = _date(headers.get("date", "")) or at
    for name in ("retry-after", *_RESETS):
        hint = _header(headers.get(name, ""), since)
        if hint is not None:
            return hint
    return _most(
        _header(headers.get(f"x-ratelimit-reset-{bucket}", ""), since)
        for bucket in _BUCKETS
        if headers.get(f"x-ratelimit-remaining-{bucket}", "").strip() == "0"
    )


def wait_in_words(text: str) -> int | None:
    """Return the wait that a lower-case text asks for, in milliseconds; None without one."""
    return _most(_spans(found[1]) for found in _IN_WORDS.finditer(text[:4096]))


def wait_in_fields(body: Any) -> int | None:
    """Return the wait in a field of a decoded error body, in milliseconds; None without one.

    Known fields: Google's RetryInfo (`retryDelay`: "3s" or {"seconds": 3}), `retry_after` and
    `retry_after_ms` of gateways, `resets_in_seconds`, headers that OpenRouter passes on.
    """
    return _most(_in_fields(body, 0))


def _in_fields(value: Any, depth: int) -> list[int | None]:
    if depth > 5:
        return []
    if isinstance(value, list):
        return [wait for one in value[:20] for wait in _in_fields(one, depth + 1)]
    if not isinstance(value, Mapping):
        return []
    found: list[int | None] = []
    for name, field in list(value.items())[:50]:
        match str(name).lower().replace("-", "_"):
            case "retrydelay":
                found.append(_duration(field))
            case "retry_after" | "resets_in_seconds":
                found.append(_number(str(field), 1000) or _spans(str(field)))
            case "retry_after_ms":
                found.append(_number(str(field), 1))
            case _:
                found += _in_fields(field, depth + 1)
    return found


def _duration(field: Any) -> int | None:
    """Parse Google's Duration into milliseconds."""
    if not isinstance(field, Mapping):
        return _spans(str(field))
    seconds = _number(str(field.get("seconds", 0)), 1000) or 0
    return seconds + (_number(str(field.get("nanos", 0)), 1e-6) or 0)


def _most(hints: Any) -> int | None:
    return max((hint for hint in hints if hint is not None), default=None)


def _header(value: str, since: datetime | None) -> int | None:
    """Parse a header; repeated headers are joined by commas, which dates contain too."""
    if len(value) > 256:
        return None
    dates = _DATE.findall(value)
    others = _DATE.sub("", value).split(",")
    return _most(
        [*(_until(_date(date), since) for date in dates), *(_one(o, since) for o in others)]
    )


def _one(value: str, since: datetime | None) -> int | None:
    value = value.strip()
    number = _number(value, 1)
    if number is None:
        spans = _spans(value)
        return _until(_date(value), since) if spans is None else spans
    seconds = float(value.strip())
    if seconds < _SECONDS_SINCE_1970 or since is None:
        return _number(value, 1000)
    seconds /= 1000 if seconds >= _MS_SINCE_1970 else 1
    try:
        return _until(datetime.fromtimestamp(seconds, UTC), since)
    except (OverflowError, OSError, ValueError):
        return _LONGEST_MS


def _spans(text: str) -> int | None:
    """Parse `3s`, `1m30s` or `2 minutes and 5 seconds` into milliseconds; None if it is none."""
    if len(text) > 64 or re.fullmatch(_SPANS, text.strip().lower() + " ", re.ASCII) is None:
        return None
    total = 0.0
    for number, unit in _SPAN.findall(text.strip().lower()):
        scale = _UNITS_MS[
            "milli" if unit.startswith("milli") else "ms" if unit == "ms" else unit[0]
        ]
        total += float(number) * scale
    return math.ceil(min(total, _LONGEST_MS))


def _number(value: str, scale: float) -> int | None:
    value = value.strip()
    if len(value) > 32 or re.fullmatch(_NUMBER, value) is None:
        return None
    return math.ceil(min(float(value) * scale, _LONGEST_MS))


def _until(when: datetime | None, since: datetime | None) -> int | None:
    if when is None or since is None:
        return None
    return min(max(0, round((when - since).total_seconds() * 1000)), _LONGEST_MS)


def _date(value: str) -> datetime | None:
    if not value or len(value) > 64:
        return None
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            when = read(value.strip())
        except (ValueError, TypeError, OverflowError):
            continue
        return when if when.tzinfo is not None else when.replace(tzinfo=UTC)
    return None
