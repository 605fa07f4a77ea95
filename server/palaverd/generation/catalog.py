"""The model catalog: which models exist, which one answers, and why none can."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from palaver.servers.recognition import at_address
from palaver.wire.chats import Model
from palaver.wire.errors import ChatError
from palaver.wire.messages import MediaType
from palaverd.config.types import Config, ModelConfig, ProviderConfig, ProviderKind
from palaverd.failures import RetryPolicy
from palaverd.providers.build import address_of
from palaverd.providers.limits import DEFAULT_LIMITS, limits_of
from palaverd.providers.neutral import Provider
from palaverd.providers.terms import Terms, opening_terms


class Chosen(msgspec.Struct, frozen=True):
    """The model that answers; `notice` says why it is not the one that was asked for.

    `loading` is how long (seconds) loading it may take, `terms` are the initial terms of its
    requests. `takes_documents`: its protocol takes PDF.
    """

    name: str
    config: ModelConfig
    provider: Provider
    notice: str | None = None
    loading: float = DEFAULT_LIMITS.startup
    terms: Terms = Terms()
    takes_documents: bool = False

    def reads(self, media_type: MediaType) -> bool:
        """Return whether the model understands files of a type, as far as is known."""
        if media_type == "application/pdf":
            return self.takes_documents
        return media_type == "text/plain" or self.terms.pictures

    def patience(self, policy: RetryPolicy) -> RetryPolicy:
        """Return `policy` with this model's configured limits."""
        return msgspec.structs.replace(
            policy,
            max_attempts=self.config.max_attempts,
            max_elapsed=self.config.max_retry_seconds,
        )


# Chat Completions takes them at OpenAI alone, of the servers that speak it.
_TAKES_DOCUMENTS: frozenset[ProviderKind] = frozenset({"anthropic", "openai"})


def _terms(model: ModelConfig, provider: ProviderConfig | None) -> Terms:
    if provider is None:  # of a test
        return Terms()
    return opening_terms(model, provider.kind, at_address(address_of(provider)))


def no_model(path: str) -> ChatError:
    """Return the error for a configuration without models; `path` is the file to change."""
    return ChatError(
        kind="config",
        message=(
            f"No model is configured. Name one in {path}, which is read at once; or set "
            "ANTHROPIC_API_KEY or OPENAI_API_KEY and run `palaver daemon restart`."
        ),
    )


class Catalog:
    """The configured models and their providers. `path` is the file that names them."""

    def __init__(
        self,
        config: Config,
        providers: Mapping[str, Provider],
        missing_keys: Mapping[str, ChatError],
        *,
        path: str = "config.toml",
    ) -> None:
        self.path = path
        self.change(config, providers, missing_keys)

    def change(
        self,
        config: Config,
        providers: Mapping[str, Provider],
        missing_keys: Mapping[str, ChatError],
    ) -> None:
        """Use another configuration from the next model call on."""
        self._config = config
        self._providers = providers
        self._missing_keys = missing_keys

    @property
    def max_steps(self) -> int:
        """The most model calls of one turn."""
        return self._config.generation.max_steps

    @property
    def default(self) -> str | None:
        """The model that answers if none was chosen."""
        models = self._config.models
        if self._config.default_model in models:
            return self._config.default_model
        usable = [n for n, m in models.items() if m.provider not in self._missing_keys]
        return next(iter(usable or models), None)

    def __contains__(self, name: str) -> bool:
        return name in self._config.models

    def names(self) -> list[str]:
        """Return the names of the models."""
        return list(self._config.models)

    def choose(self, *wanted: str | None) -> Chosen | None:
        """Return the first of `wanted` that is configured, else the default; None without any."""
        asked = next((name for name in wanted if name is not None), None)
        name = next((n for n in wanted if n is not None and n in self), None) or self.default
        if name is None:
            return None
        notice = None
        if asked is not None and asked != name:
            notice = f"The model {asked} is no longer configured; {name} answers."
        return self._chosen(name, notice)

    def cannot_read(self, media_type: MediaType, *wanted: str | None) -> str | None:
        """Return the name of the model that answers, if it does not understand files of a type."""
        chosen = self.choose(*wanted)
        return None if chosen is None or chosen.reads(media_type) else chosen.name

    def stand_in(self, wanted: Chosen, name: str) -> Chosen:
        """Return the fallback model `name`, which is asked because `wanted` fails."""
        return self._chosen(name, f"{wanted.name} was not available; {name} answers.")

    def _chosen(self, name: str, notice: str | None) -> Chosen:
        config = self._config.models[name]
        settings = self._config.providers.get(config.provider)
        return Chosen(
            name,
            config,
            self._providers[config.provider],
            notice,
            limits_of(settings).startup if settings else DEFAULT_LIMITS.startup,
            _terms(config, settings),
            settings is not None and settings.kind in _TAKES_DOCUMENTS,
        )

    def models(self) -> list[Model]:
        """Return the models that clients can choose."""
        default = self.default
        return [
            Model(
                name=name,
                provider=model.provider,
                model=model.model,
                default=name == default,
                context_limit=model.context_limit,
                unavailable=self._missing_keys.get(model.provider),
            )
            for name, model in self._config.models.items()
        ]
