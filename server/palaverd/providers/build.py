"""Makes a provider as it is configured."""

from __future__ import annotations

import msgspec

from palaver.clock import Clock
from palaverd.config.types import ProviderConfig, ProviderKind
from palaverd.providers.anthropic import AnthropicProvider
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


def make_provider(
    name: str, config: ProviderConfig, *, api_key: str | None, key_hint: str, clock: Clock
) -> Provider:
    """Make the provider that speaks the configured protocol, with the configured patience."""
    make = _KINDS[config.kind]
    given = {
        "startup": config.startup_seconds,
        "silence": config.silence_seconds,
        "pings": config.pings_seconds,
    }
    patience = {name: seconds for name, seconds in given.items() if seconds is not None}
    return make(
        name,
        base_url=config.base_url,
        api_key=api_key,
        key_hint=key_hint,
        clock=clock,
        limits=msgspec.structs.replace(make.usual_limits, **patience),
    )
