"""The form of a model's requests: as configured, as known of its server, or learned from a refusal.

Compatible servers differ in the name of the output limit, in whether they accept `stream_options`
or a system role, and in how long an answer may be. The table of servers has some of it by address;
otherwise a refusal is read once, and what it says applies to the model from then on.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from palaver.servers.facts import Server
from palaverd.config.types import LimitParameter, ModelConfig, ProviderKind, SystemRole


class Terms(msgspec.Struct, frozen=True):
    """The form of the requests to one model.

    `limit` is the name of the output limit, `usage` whether usage is requested, `system` the role
    of the system prompt, `pictures` whether the model is shown pictures. Learned are `answered`,
    whether an assistant's message must stand between a tool's and a user's, and in tokens,
    `context`, the context window, and `longest`, the longest answer. `room`, the tokens left for an
    answer, and `returns`, whether private data is sent back, apply to one prompt alone.
    """

    limit: LimitParameter = "max_tokens"
    usage: bool = True
    system: SystemRole = "system"
    pictures: bool = True
    answered: bool = False
    returns: bool = True
    context: int | None = None
    longest: int | None = None
    room: int | None = None

    @property
    def lasting(self) -> Terms:
        """The terms that apply to other prompts, too."""
        return msgspec.structs.replace(self, returns=True, room=None)


# Protocols whose vendors' models all see; behind the third one are small models, too.
_SEEING: frozenset[ProviderKind] = frozenset({"anthropic", "openai"})


def opening_terms(model: ModelConfig, kind: ProviderKind, server: Server | None) -> Terms:
    """Return the initial terms: as configured, else as known of `server`, else of the protocol."""
    settings = {
        "limit": ("limit_parameter", model.limit_parameter),
        "usage": ("stream_options", model.stream_options),
        "system": ("system_role", model.system_role),
        "pictures": ("vision", model.vision),
    }
    given = {
        field: configured if configured is not None else server and server.wanted(name)
        for field, (name, configured) in settings.items()
    }
    known = {field: value for field, value in given.items() if value is not None}
    return msgspec.convert({"pictures": kind in _SEEING} | known, Terms)


class Refusal(msgspec.Struct, frozen=True):
    """A refused request: the response's status and the text of its body."""

    status: int
    text: str


# --- learning ---------------------------------------------------------------------------------

# Statuses of a refusal; llama.cpp responds 500 if a chat template fails because of a role.
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
# Of Mistral, and of servers with its models (github.com/LibreChat-AI/agents/issues/344,
# github.com/avante-corp/avante.nvim/pull/2695).
_USER_AFTER_TOOL = re.compile(r"unexpected role \W?user\W? after role \W?tool")
_PICTURE = re.compile(r"\b(?:image|picture|vision|multi-?modal)")
# In other words: vLLM, Ollama.
_NO_PICTURES = re.compile(r"not a multi-?modal model|at most 0 image|data required for image input")
# Of one picture, which says nothing of others.
_BROKEN_PICTURE = re.compile(
    r"could not process|too (?:large|big|many)|exceeds?\b|maximum|at most|dimension|corrupt|decode"
    r"|(?:unsupported|invalid|not a valid) (?:image|picture|media)|download|media[_ ]type"
)
# Names user and assistant as the only roles.
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
# A number that is not part of a name, a date, a status, a code or a time.
_NUMBER = re.compile(r"(?<![\w.-])\d[\d,_]*(?![\w-])")
_OTHER_NUMBERS = re.compile(r"\b(?:status|code|created|time|timestamp|id)\w*\W{1,4}\d+")
_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "max_new_tokens")


def learn(terms: Terms, refusal: Refusal, sent: int) -> Terms | None:
    """Return the terms with which to retry a refused request; None if there are none.

    `sent` is the output limit of the refused request.
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
    """Omit private data that the server did not write, or can no longer read."""
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


def _order(terms: Terms, text: str, _sent: int) -> Terms | None:
    """Put an assistant's message between a tool's and a user's, as Mistral's models want it."""
    refused = _USER_AFTER_TOOL.search(text)
    return msgspec.structs.replace(terms, answered=True) if refused else None


def _pictures(terms: Terms, text: str, _sent: int) -> Terms | None:
    """Show no pictures to a model that does not understand them."""
    if _NO_PICTURES.search(text):
        return msgspec.structs.replace(terms, pictures=False)
    if _PICTURE.search(text) and _UNWANTED.search(text) and not _BROKEN_PICTURE.search(text):
        return msgspec.structs.replace(terms, pictures=False)
    return None


def _system(terms: Terms, text: str, _sent: int) -> Terms | None:
    if terms.system == "developer" and "developer" in text:
        return msgspec.structs.replace(terms, system="system")
    # Chat templates without a system role report its message as a violation of alternation.
    refused = _SYSTEM.search(text) and _UNWANTED.search(text)
    if refused or _TWO_ROLES.search(text) or "roles must alternate" in text:
        return msgspec.structs.replace(terms, system="user")
    return None


def _too_large(terms: Terms, text: str, sent: int) -> Terms | None:
    """Lower an output limit that is beyond the context or the model's maximum."""
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
    """Use another name for the output limit, or omit it."""
    if not any(name in text for name in _LIMITS) or not _UNWANTED.search(text):
        return None
    if terms.limit == "max_tokens":
        return msgspec.structs.replace(terms, limit="max_completion_tokens")
    if "max_tokens" in text.replace("max_completion_tokens", "", 1) and "instead" in text:
        return msgspec.structs.replace(terms, limit="max_tokens")
    return msgspec.structs.replace(terms, limit="none")


def _number(text: str) -> int:
    return int(text.replace(",", "").replace("_", ""))


# The order matters: a message about one thing may mention another.
_LESSONS: tuple[Callable[[Terms, str, int], Terms | None], ...] = (
    _sealed,
    _order,
    _pictures,
    _stream_options,
    _too_large,
    _limit,
    _system,
)
# More than the number of lessons in a row.
MOST_LESSONS = 8
