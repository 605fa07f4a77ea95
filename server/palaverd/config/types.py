"""What `config.toml` may say. A field's docstring line is its comment in the example."""

from __future__ import annotations

from typing import Literal

import msgspec

from palaverd.config.defaults import (
    HEARTBEAT_S,
    LEASE_S,
    MAX_CHATS,
    MAX_OUTPUT_TOKENS,
    MAX_STEPS,
)

ProviderKind = Literal["anthropic", "openai", "openai-compatible"]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file. Unknown keys are errors: they are mostly misspelt known ones."""


class ProviderConfig(Section, frozen=True):
    """How to reach a provider. `api_key` is "env:NAME", or the key itself."""

    kind: ProviderKind
    base_url: str | None = None
    api_key: str | None = None


class ModelConfig(Section, frozen=True):
    """A model that can be chosen. `model` is the provider's name for it; limits are tokens."""

    provider: str
    model: str
    context_limit: int | None = None
    max_output_tokens: int = MAX_OUTPUT_TOKENS
    reasoning: Literal["low", "medium", "high"] | None = None


class WorkerConfig(Section, frozen=True):
    """How many chats run at once (0: no limit), and how long a silent worker owns its chats."""

    enabled: bool = True
    max_chats: int = MAX_CHATS
    heartbeat_seconds: float = HEARTBEAT_S
    lease_seconds: float = LEASE_S


class GenerationConfig(Section, frozen=True):
    """Bounds of a turn: model calls after one user message."""

    max_steps: int = MAX_STEPS


class Config(Section, frozen=True):
    """The whole file. Everything may be left out."""

    default_model: str | None = None
    providers: dict[str, ProviderConfig] = {}
    models: dict[str, ModelConfig] = {}
    worker: WorkerConfig = WorkerConfig()
    generation: GenerationConfig = GenerationConfig()
