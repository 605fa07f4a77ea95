"""Create a provider from its configuration."""

from __future__ import annotations

from typing import Any

from palaver.clock import Clock
from palaverd.config.keys import Key
from palaverd.config.types import ProviderConfig, ProviderKind
from palaverd.providers.anthropic import AnthropicProvider
from palaverd.providers.limits import limits_of
from palaverd.providers.neutral import Provider
from palaverd.providers.openai import OpenAICompatibleProvider, OpenAIResponsesProvider
from palaverd.providers.sdk import SdkProvider

_KINDS: dict[ProviderKind, type[SdkProvider[Any]]] = {
    "anthropic": AnthropicProvider,
    "openai": OpenAIResponsesProvider,
    "openai-compatible": OpenAICompatibleProvider,
}


def address_of(config: ProviderConfig) -> str:
    """Return a provider's base URL: as configured, else the vendor's."""
    return config.base_url or _KINDS[config.kind].vendor_url


def needs_key(config: ProviderConfig) -> bool:
    """Return whether a provider cannot be called without an API key."""
    return _KINDS[config.kind].needs_key


def make_provider(
    name: str, config: ProviderConfig, *, api_key: Key, key_hint: str, clock: Clock
) -> Provider:
    """Create the provider for the configured protocol and timeouts."""
    make = _KINDS[config.kind]
    return make(
        name,
        base_url=config.base_url,
        api_key=api_key,
        key_hint=key_hint,
        clock=clock,
        limits=limits_of(config),
    )
