"""Reads when a provider says to come back."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Longer than any hint that means something; beyond it lies the end of the calendar.
_LONGEST_MS = 366 * 24 * 3600 * 1000
# Not what Python takes for a number: `1_0`, `nan` and digits of other scripts are none here.
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+")


def retry_after_ms(headers: Mapping[str, str], at: datetime | None = None) -> int | None:
    """Return the hint in milliseconds, or None when there is none that can be read.

    `retry-after-ms` (milliseconds, both vendors' own) goes before `retry-after` (seconds, also
    fractions, or an HTTP date; RFC 9110, 10.2.3). A date counts from the response's own `date`
    where it has one, since the two clocks may differ, else from `at`. A date in the past is 0.
    """
    hint = _number(headers.get("retry-after-ms"), 1)
    if hint is not None:
        return hint
    value = headers.get("retry-after")
    hint = _number(value, 1000)
    if hint is not None or value is None:
        return hint
    when = _date(value)
    since = _date(headers.get("date")) or at
    if when is None or since is None:
        return None
    return min(max(0, round((when - since).total_seconds() * 1000)), _LONGEST_MS)


def _number(value: str | None, scale: int) -> int | None:
    if value is None or len(value) > 32 or _NUMBER.fullmatch(value.strip()) is None:
        return None
    return math.ceil(min(float(value) * scale, _LONGEST_MS))


def _date(value: str | None) -> datetime | None:
    if value is None or len(value) > 64:
        return None
    try:
        when = parsedate_to_datetime(value)
        return when if when.tzinfo is not None else when.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError):
        return None
