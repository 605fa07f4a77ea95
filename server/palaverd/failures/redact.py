"""Keeps secrets, control characters and essays out of what is stored and shown."""

from __future__ import annotations

import re
from collections.abc import Iterable

# What design 05 allows for the provider's own words.
MAX_DETAIL = 500
MASK = "[redacted]"

# A secret shorter than this is more likely an ordinary word, and masking it would garble text.
_MIN_LITERAL = 6
# The least that is shown of a key which is echoed in part.
_SHOWN = 4

# Name, then what a match is replaced by. The order matters: structured places first, so that
# the name of the place survives.
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Credentials in a URL.
    (re.compile(r"(?<=://)[^\s/@]{1,256}@"), f"{MASK}@"),
    # Authorization: Bearer …, also without the header's name.
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=\-]{6,}"), rf"\1 {MASK}"),
    # name=value and "name": "value", for names that hold secrets.
    (
        re.compile(
            r"(?i)\b((?:[\w-]*api[_-]?key|x-goog-api-key|authorization|access[_-]?token"
            r"|auth[_-]?token|secret|password|passwd|token)[\"']?\s*[=:]\s*[\"']?)"
            r"(?!\s|\[redacted\]|Bearer |Basic )([^\s\"'&,;]{6,})"
        ),
        rf"\1{MASK}",
    ),
    # Keys by their issuers' prefixes; providers echo them with stars in the middle.
    (re.compile(r"\b(?:sk|pk|rk)-[\w*\-]{6,}"), MASK),
    (
        re.compile(r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[abposr]-|gsk_|hf_|AIza)[\w\-*]{8,}"),
        MASK,
    ),
    (re.compile(r"\bAKIA[0-9A-Z]{12,}"), MASK),
    # JSON web tokens.
    (re.compile(r"\beyJ[\w\-]{8,}\.[\w\-]{8,}(?:\.[\w\-]*)?"), MASK),
)
# Not for people and dangerous for terminals: C0, C1, line separators, bidirectional controls.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]+")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return `text` on one line, without the given secrets and without anything like one."""
    # JSON may carry half a surrogate pair, which no encoder takes later.
    text = text.encode("utf-8", "replace").decode("utf-8")
    for secret in secrets:
        if len(secret) >= _MIN_LITERAL:
            text = text.replace(secret, MASK)
            # A provider echoes its beginning and its end, with stars or dots for the rest.
            begun = re.escape(secret[:_SHOWN])
            text = re.sub(rf"{begun}[\w\-]*(?:\*{{2,}}|…|\.{{3}})[\w\-*]*", MASK, text)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return _CONTROL.sub(" ", text).strip()


def detail(text: str | None) -> str | None:
    """Return a provider's words as they may be stored: redacted, at most `MAX_DETAIL` long.

    Redacted before it is cut, so that no half of a secret is left at the end.
    """
    if not text:
        return None
    # A bound on the work, far above what is kept.
    clean = redact(text[: MAX_DETAIL * 20])
    if len(clean) > MAX_DETAIL:
        clean = clean[: MAX_DETAIL - 1].rstrip() + "…"
    return clean or None
