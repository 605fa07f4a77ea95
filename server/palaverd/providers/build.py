"""Makes a provider as it is configured."""

from __future__ import annotations

from palaver.clock import Clock
from palaverd.config.keys import Key
from palaverd.config.types import ProviderConfig, ProviderKind
from palaverd.providers.anthropic import AnthropicProvider
from palaverd.providers.limits import limits_of
from palaverd.providers.neutral import Provider
from palaverd.providers.openai import OpenAICompatibleProvider, OpenAIResponsesProvider

_KINDS: dict[
    ProviderKind,
    type[AnthropicProvider | OpenAIResponsesProvider | OpenAICompatibleProvider],
] = {
    "anthropic": AnthropicProvider,
    "openai": OpenAIResponsesProvider,
    "openai-compatible": OpenAICompatibleProvider,
}


def address_of(config: ProviderConfig) -> str:
    """Return where a provider is asked: its base_url, else the vendor's own address."""
    return config.base_url or _KINDS[config.kind].vendor_url


def make_provider(
    name: str, config: ProviderConfig, *, api_key: Key, key_hint: str, clock: Clock
) -> Provider:
    """Make the provider that speaks the configured protocol, with the configured patience."""
    make = _KINDS[config.kind]
    return make(
        name,
        base_url=config.base_url,
        api_key=api_key,
        key_hint=key_hint,
        clock=clock,
        limits=limits_of(config),
    )
