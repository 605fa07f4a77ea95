"""Mask secrets and control characters in text that is stored or shown, and bound its length."""

from __future__ import annotations

import re
from collections.abc import Iterable

# The most characters of a provider's message that are stored and shown.
MAX_DETAIL = 500
MASK = "[redacted]"

# A secret shorter than this is more likely an ordinary word, and masking it would garble text.
_MIN_LITERAL = 6
# Characters of a key that a provider shows at least, where it echoes a part.
_SHOWN = 4

# Pattern, replacement. The order matters: structured places first, so that the name of the place
# survives.
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
# Unprintable or dangerous for terminals: C0, C1, line separators, bidirectional controls.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]+")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return `text` on one line, with the given secrets and anything like one masked."""
    # JSON may contain half a surrogate pair, which cannot be encoded later.
    text = text.encode("utf-8", "replace").decode("utf-8")
    for secret in secrets:
        if len(secret) >= _MIN_LITERAL:
            text = text.replace(secret, MASK)
            # A provider may echo its first and last characters, with stars or dots between.
            begun = re.escape(secret[:_SHOWN])
            text = re.sub(rf"{begun}[\w\-]*(?:\*{{2,}}|…|\.{{3}})[\w\-*]*", MASK, text)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return _CONTROL.sub(" ", text).strip()


def detail(text: str | None) -> str | None:
    """Return a provider's message for storage: redacted, at most `MAX_DETAIL` characters.

    Redacted before it is truncated, so that no half of a secret remains.
    """
    if not text:
        return None
    # Bounds the work, far above what is kept.
    clean = redact(text[: MAX_DETAIL * 20])
    if len(clean) > MAX_DETAIL:
        clean = clean[: MAX_DETAIL - 1].rstrip() + "…"
    return clean or None
