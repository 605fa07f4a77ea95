"""Makes a provider of a configured kind."""

from __future__ import annotations

from typing import Literal

from palaver.clock import Clock
from palaverd.providers.anthropic import AnthropicProvider
from palaverd.providers.neutral import Provider


def make_provider(
    name: str,
    kind: Literal["anthropic", "openai", "openai-compatible"],
    *,
    base_url: str | None,
    api_key: str | None,
    key_hint: str,
    clock: Clock,
) -> Provider:
    """Make the provider that speaks the protocol of `kind`."""
    return AnthropicProvider(
        name, base_url=base_url, api_key=api_key, key_hint=key_hint, clock=clock
    )
