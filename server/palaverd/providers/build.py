"""Makes a provider of a configured kind."""

from __future__ import annotations

from typing import Literal, Protocol

from palaver.clock import Clock
from palaverd.providers.anthropic import AnthropicProvider
from palaverd.providers.neutral import Provider
from palaverd.providers.openai import OpenAICompatibleProvider, OpenAIResponsesProvider

Kind = Literal["anthropic", "openai", "openai-compatible"]


class _Make(Protocol):
    def __call__(
        self, name: str, *, base_url: str | None, api_key: str | None, key_hint: str, clock: Clock
    ) -> Provider: ...


_KINDS: dict[Kind, _Make] = {
    "anthropic": AnthropicProvider,
    "openai": OpenAIResponsesProvider,
    "openai-compatible": OpenAICompatibleProvider,
}


def make_provider(
    name: str,
    kind: Kind,
    *,
    base_url: str | None,
    api_key: str | None,
    key_hint: str,
    clock: Clock,
) -> Provider:
    """Make the provider that speaks the protocol of `kind`."""
    return _KINDS[kind](name, base_url=base_url, api_key=api_key, key_hint=key_hint, clock=clock)
