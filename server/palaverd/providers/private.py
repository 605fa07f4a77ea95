"""What a provider wants back with a part, kept as text beside the part and shown to nobody.

Each value names the protocol it belongs to, so that a chat which changes its provider does not
send one provider's signature to another.
"""

from __future__ import annotations

import msgspec

from palaverd.providers.neutral import Turn


class AnthropicThinking(msgspec.Struct, frozen=True, tag="anthropic.thinking"):
    """Proves that the model itself wrote this thinking."""

    signature: str


class AnthropicRedacted(msgspec.Struct, frozen=True, tag="anthropic.redacted"):
    """Thinking that only the provider can read."""

    data: str


class OpenAIReasoning(msgspec.Struct, frozen=True, tag="openai.reasoning"):
    """A reasoning item of the Responses interface. `encrypted` is its content, unreadable."""

    id: str
    encrypted: str


Private = AnthropicThinking | AnthropicRedacted | OpenAIReasoning

# Between who sealed a value and the value, which is JSON.
_BY = ":"

_DECODER: msgspec.json.Decoder[Private] = msgspec.json.Decoder(Private)


def seal(value: Private) -> str:
    """Return the text to keep."""
    return msgspec.json.encode(value).decode()


def unseal(text: str | None) -> Private | None:
    """Return what was kept; None for nothing and for what a later version wrote."""
    if text is None:
        return None
    try:
        return _DECODER.decode(text)
    except msgspec.DecodeError:
        # A format of another version is a part without a signature: the provider is sent the
        # conversation without that part's thinking.
        return None


def signed(private: str, origin: str) -> str:
    """Return a kept text with who it came from: a provider and account."""
    return f"{origin}{_BY}{private}"


def returned(turns: list[Turn], origin: str | None) -> list[Turn]:
    """Return turns with what `origin` signed, its name taken off; without what others did."""
    return [msgspec.structs.replace(turn, private=_own(turn.private, origin)) for turn in turns]


def _own(private: dict[str, str], origin: str | None) -> dict[str, str]:
    own = {}
    for part, text in private.items():
        by, found, value = text.partition(_BY)
        if found and by == origin:
            own[part] = value
    return own
