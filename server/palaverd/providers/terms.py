"""How a model wants its requests: as configured, as its server is known, as a refusal teaches.

Servers that call themselves compatible differ in the name of the output limit, in whether they take
`stream_options` or a system role, and in how long an answer may be. The table of servers knows some
of it from the address alone; else a refusal says so: it is read once, and what it taught holds for
the model from then on.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from palaver.servers.facts import Server
from palaverd.config.types import LimitParameter, ModelConfig, SystemRole


class Terms(msgspec.Struct, frozen=True):
    """What holds for the requests to one model.

    `limit` is what the output limit is called, `usage` whether counts are asked for, `system` as
    whom the system prompt is told. Learned are, in tokens, `context`, all that fits, and `longest`,
    the longest answer. `room`, what is left for an answer, and `returns`, whether reasoning that
    this provider sealed is sent back to it, hold for one prompt alone.
    """

    limit: LimitParameter = "max_tokens"
    usage: bool = True
    system: SystemRole = "system"
    returns: bool = True
    context: int | None = None
    longest: int | None = None
    room: int | None = None

    @property
    def lasting(self) -> Terms:
        """What holds for other prompts too."""
        return msgspec.structs.replace(self, returns=True, room=None)


def opening_terms(model: ModelConfig, server: Server | None) -> Terms:
    """Return the terms to begin with: as configured, else as `server`, if it is known, wants it."""
    settings = {
        "limit": ("limit_parameter", model.limit_parameter),
        "usage": ("stream_options", model.stream_options),
        "system": ("system_role", model.system_role),
    }
    given = {
        field: configured if configured is not None else server and server.wanted(name)
        for field, (name, configured) in settings.items()
    }
    known = {field: value for field, value in given.items() if value is not None}
    return msgspec.convert(known, Terms)


class Refusal(msgspec.Struct, frozen=True):
    """A request that was refused: the response's status, and all that its body says."""

    status: int
    text: str


# --- learning ---------------------------------------------------------------------------------

# Statuses of a refusal; a template of llama.cpp that fails over a role is a 500.
_REFUSED = frozenset({400, 422, 500})

_UNWANTED = re.compile(
    r"unsupported|not (?:currently )?supported|not permitted|not allowed|does not support|extra"
    r"|unrecogni[sz]ed|unknown|unexpected|invalid (?:param|value|role)|not a valid|is invalid"
    r"|deprecated|forbidden|only|not enabled"
)
_SYSTEM = re.compile(
    r"(?:system|developer)\W{0,3}(?:\w+ )?(?:role|message|prompt|instruction)"
    r"|(?:role|invalid value).{0,60}(?:system|developer)"
)
# The two roles that there are, and no third.
_TWO_ROLES = re.compile(
    r"(?:only|one of|should be|supported (?:values|roles) are)\W{1,4}user\W{1,4}(?:and |or )?"
    r"\W?assistant\b"
)
_TOO_LARGE = re.compile(r"too large|too big|maximum|exceed|at most|less than|<=|>|between|range")
_CONTEXT = re.compile(
    r"context (?:length|window|size|limit)(?: \w+){0,3}?[ :=(]*(?:of |is )?(\d[\d,_]*)"
)
# Anthropic's Messages: prompt, output limit, context.
_FULL = re.compile(r"context limit: (\d+) \+ (\d+) > (\d+)")
# A number by itself: neither part of a name or a date, nor a status, a code or a time.
_NUMBER = re.compile(r"(?<![\w.-])\d[\d,_]*(?![\w-])")
_OTHER_NUMBERS = re.compile(r"\b(?:status|code|created|time|timestamp|id)\w*\W{1,4}\d+")
_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "max_new_tokens")


def learn(terms: Terms, refusal: Refusal, sent: int) -> Terms | None:
    """Return the terms on which a request is worth sending again; None if none is known.

    `sent` is the output limit of the request that was refused.
    """
    if refusal.status not in _REFUSED:
        return None
    text = refusal.text.lower()
    for lesson in _LESSONS:
        learned = lesson(terms, text, sent)
        if learned is not None and learned != terms:
            return learned
    return None


def _sealed(terms: Terms, text: str, _sent: int) -> Terms | None:
    """Reasoning that it did not write, or cannot read any more."""
    foreign = (
        "encrypted content" in text
        or "encrypted_content" in text
        or ("signature" in text and "thinking" in text)
        or "without its required following item" in text
    )
    return msgspec.structs.replace(terms, returns=False) if foreign else None


def _stream_options(terms: Terms, text: str, _sent: int) -> Terms | None:
    named = "stream_options" in text or "include_usage" in text
    return msgspec.structs.replace(terms, usage=False) if named else None


def _system(terms: Terms, text: str, _sent: int) -> Terms | None:
    if terms.system == "developer" and "developer" in text:
        return msgspec.structs.replace(terms, system="system")
    # Templates of models that know no system role count its message as one out of turn.
    refused = _SYSTEM.search(text) and _UNWANTED.search(text)
    if refused or _TWO_ROLES.search(text) or "roles must alternate" in text:
        return msgspec.structs.replace(terms, system="user")
    return None


def _too_large(terms: Terms, text: str, sent: int) -> Terms | None:
    """An output limit beyond the context, or beyond what the model ever says."""
    if not any(name in text for name in _LIMITS) or not _TOO_LARGE.search(text):
        return None
    if (full := _FULL.search(text)) is not None:
        prompt, _, most = (_number(number) for number in full.groups())
        return msgspec.structs.replace(terms, room=most - prompt) if prompt < most else None
    context = _CONTEXT.search(text)
    if context is not None:
        tokens = _number(context[1])
        known = terms.context is not None and terms.context <= tokens
        return None if known else msgspec.structs.replace(terms, context=tokens)
    numbers = map(_number, _NUMBER.findall(_OTHER_NUMBERS.sub(" ", text)))
    smaller = [number for number in numbers if 16 <= number < sent]
    return msgspec.structs.replace(terms, longest=max(smaller)) if smaller else None


def _limit(terms: Terms, text: str, _sent: int) -> Terms | None:
    """Another name for the output limit, or none."""
    if not any(name in text for name in _LIMITS) or not _UNWANTED.search(text):
        return None
    if terms.limit == "max_tokens":
        return msgspec.structs.replace(terms, limit="max_completion_tokens")
    if "max_tokens" in text.replace("max_completion_tokens", "", 1) and "instead" in text:
        return msgspec.structs.replace(terms, limit="max_tokens")
    return msgspec.structs.replace(terms, limit="none")


def _number(text: str) -> int:
    return int(text.replace(",", "").replace("_", ""))


# In this order: a sentence about one thing may name another.
_LESSONS: tuple[Callable[[Terms, str, int], Terms | None], ...] = (
    _sealed,
    _stream_options,
    _too_large,
    _limit,
    _system,
)
# More than all there is to learn, one after another.
MOST_LESSONS = 8
