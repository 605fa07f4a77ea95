"""Private data that a provider wants back with a part, stored as text beside the part.

It is never shown. Each value names its protocol, so that a chat which changes its provider does
not send one provider's signature to another.
"""

from __future__ import annotations

import msgspec

from palaverd.providers.neutral import Turn


class AnthropicThinking(msgspec.Struct, frozen=True, tag="anthropic.thinking"):
    """The signature that proves that the model wrote this thinking."""

    signature: str


class AnthropicRedacted(msgspec.Struct, frozen=True, tag="anthropic.redacted"):
    """Thinking that only the provider can read."""

    data: str


class OpenAIReasoning(msgspec.Struct, frozen=True, tag="openai.reasoning"):
    """A reasoning item of the Responses API. `encrypted` is its content, unreadable."""

    id: str
    encrypted: str


Private = AnthropicThinking | AnthropicRedacted | OpenAIReasoning

# Separates the provider's id from the value, which is JSON.
_BY = ":"

_DECODER: msgspec.json.Decoder[Private] = msgspec.json.Decoder(Private)


def seal(value: Private) -> str:
    """Return a value as text for storage."""
    return msgspec.json.encode(value).decode()


def unseal(text: str | None) -> Private | None:
    """Return a stored value; None without one, or for one of a later version."""
    if text is None:
        return None
    try:
        return _DECODER.decode(text)
    except msgspec.DecodeError:
        # Treat an unknown format as missing: the part's thinking is not sent.
        return None


def signed(private: str, origin: str) -> str:
    """Return stored private data prefixed with `origin`, the id of provider and account."""
    return f"{origin}{_BY}{private}"


def returned(turns: list[Turn], origin: str | None) -> list[Turn]:
    """Return turns with the private data of `origin` without its prefix, and no other."""
    return [msgspec.structs.replace(turn, private=_own(turn.private, origin)) for turn in turns]


def _own(private: dict[str, str], origin: str | None) -> dict[str, str]:
    own = {}
    for part, text in private.items():
        by, found, value = text.partition(_BY)
        if found and by == origin:
            own[part] = value
    return own
