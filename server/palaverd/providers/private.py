"""What a provider wants back with a part, kept as text beside the part and shown to nobody.

Each value names the protocol it belongs to, so that a chat which changes its provider does not
send one provider's signature to another.
"""

from __future__ import annotations

import msgspec


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
