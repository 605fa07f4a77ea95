"""The configuration in force, its models and providers, and reloading it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog

from palaver.clock import Clock
from palaver.wire.errors import ChatError
from palaver.wire.setup import Asked, Named, Reloaded, Setup
from palaverd.config.keys import BadKey, key_hint
from palaverd.config.load import ConfigError
from palaverd.config.show import masked_url
from palaverd.config.source import Loaded, Look, Source, differences
from palaverd.config.types import Config, ProviderConfig
from palaverd.failures import Signals, classify
from palaverd.generation.catalog import Catalog
from palaverd.logs.bugs import log_bug
from palaverd.providers.build import address_of, make_provider, needs_key
from palaverd.providers.limits import limits_of
from palaverd.providers.network import network
from palaverd.providers.neutral import Provider

log = structlog.get_logger("palaverd.config")

# Seconds between two checks of the files. A changed file is read when two checks agree, so that it
# is not read while it is being written: a change takes effect after two seconds at most.
LOOK_S: Final = 1.0
# Read at the start only: addresses to listen on, whether there is a worker, its lease timing.
NEEDS_RESTART: Final = frozenset(
    {
        "server.listen",
        "server.tls_cert",
        "server.tls_key",
        "worker.enabled",
        "worker.heartbeat_seconds",
        "worker.lease_seconds",
    }
)


class ActiveConfig:
    """Owns the model catalog and the providers, and reloads the configuration.

    Args:
        source: where to reload from; None if there is nothing to reload.
        changed: called with each configuration that takes effect.
        takes_variables: clients may supply API keys that the environment lacks.
    """

    def __init__(
        self,
        loaded: Loaded,
        clock: Clock,
        *,
        source: Source | None,
        changed: Callable[[Config], None],
        takes_variables: bool = False,
    ) -> None:
        self._takes_variables = takes_variables
        self._read_at = clock.now()
        self._network: list[Named] | None = None  # None until somebody asks
        self._source = source
        self._clock = clock
        self._changed = changed
        self._loaded = loaded
        self._began = loaded.config
        self._problem: str | None = None
        self._seen: dict[Path, Look] = {}  # the files as they were when last read
        self._reading = asyncio.Lock()
        self._retired: list[Provider] = []
        self._providers = {name: self._make(loaded, name) for name in loaded.config.providers}
        path = "config.toml" if source is None else str(source.path)
        self.catalog = Catalog(loaded.config, self._providers, _missing(loaded), path=path)

    def _make(self, loaded: Loaded, name: str) -> Provider:
        provider = loaded.config.providers[name]
        hint = key_hint(name, provider)
        key = loaded.keys.get(name)
        return make_provider(name, provider, api_key=key, key_hint=hint, clock=self._clock)

    async def setup(self) -> Setup | None:
        """Return the configuration's source, problems and missing keys; None without a source."""
        if self._source is None:
            return None
        if self._network is None:
            # Not at the start: to read all certificates that the environment names takes OpenSSL
            # 20 ms of CPU time, and only `palaver doctor` and lists of models show the result.
            self._network = await asyncio.to_thread(network, self._source.environment)
        source, config = self._source, self._loaded.config
        return Setup(
            config=str(source.path),
            found=self._seen.get(source.path) is not None,
            variables=source.lacking(config),
            problem=self._problem,
            restart=self._waiting(config),
            read_at=self._read_at,
            takes_variables=self._takes_variables,
            network=self._network,
            providers=[_asked(name, provider) for name, provider in config.providers.items()],
        )

    def _waiting(self, config: Config) -> list[str]:
        """Return the changed keys that need a restart to take effect."""
        return [key for key in differences(self._began, config) if key in NEEDS_RESTART]

    async def warm_up(self) -> None:
        """Import the SDK of the default model before the first message needs it.

        Another one is imported when it is first used: few people use two.
        """
        default = self.catalog.default
        if default is None:
            return
        name = self._loaded.config.models[default].provider
        try:
            await self._providers[name].warm_up()
        except Exception as error:  # noqa: BLE001 - an SDK may fail in any way
            # The first call will report the same error.
            log.warning("provider not ready", provider=name, error=str(error))

    async def reload(self) -> Reloaded:
        """Reload the configuration; it applies from the next model call on.

        Raises:
            ConfigError: it cannot be used; the previous one stays in force.
        """
        source = self._source
        if source is None:
            raise ConfigError("This daemon was not started from a configuration file.")
        async with self._reading:
            # Checked before reading: a change in between triggers another reload.
            read_at = self._clock.now()
            before = await asyncio.to_thread(source.look, self._loaded.config)
            try:
                loaded = await asyncio.to_thread(source.read)
            except ConfigError as error:
                self._seen, self._problem = before, str(error)
                self._changed(self._loaded.config)
                log.warning("configuration refused", error=self._problem)
                raise
            self._problem, self._read_at = None, read_at
            keys = self._take(loaded)
            now = await asyncio.to_thread(source.look, loaded.config)
            self._seen = {path: before.get(path, look) for path, look in now.items()}
        self._changed(loaded.config)
        answer = Reloaded(
            changed=[key for key in keys if key not in NEEDS_RESTART],
            restart=self._waiting(loaded.config),
        )
        log.info("configuration read", changed=answer.changed, needs_restart=answer.restart)
        return answer

    async def lend(self, variables: Mapping[str, str]) -> Reloaded:
        """Take API keys from a client's environment, keep them in memory, and reload.

        Only missing keys are taken: a client cannot replace what the daemon was started with.

        Raises:
            ConfigError: the configuration cannot be used; the previous one stays in force.
        """
        source = self._source
        if source is None or not self._takes_variables:
            return Reloaded(changed=[], restart=[])
        lacking = source.lacking(self._loaded.config)
        taken = {name: variables[name] for name in lacking if variables.get(name)}
        if not taken:
            return Reloaded(changed=[], restart=[])
        log.info("keys taken from a client", variables=sorted(taken))
        self._source = replace(source, environment={**source.environment, **taken})
        return await self.reload()

    def _take(self, loaded: Loaded) -> list[str]:
        """Put `loaded` into force; return the keys that it changes."""
        before = self._loaded
        changed = set(differences(before.config, loaded.config))
        providers = {}
        for name, config in loaded.config.providers.items():
            key = loaded.keys.get(name)
            if before.config.providers.get(name) == config and before.keys.get(name) == key:
                providers[name] = self._providers[name]
                continue
            providers[name] = self._make(loaded, name)
            if before.config.providers.get(name) == config:
                changed.add(f"providers.{name}.api_key")
        kept = {id(provider) for provider in providers.values()}
        self._retired += [one for one in self._providers.values() if id(one) not in kept]
        self._providers, self._loaded = providers, loaded
        self.catalog.change(loaded.config, providers, _missing(loaded))
        return sorted(changed)

    async def look(self) -> None:
        """Record the current state of the files; later changes trigger a reload."""
        if self._source is not None:
            self._seen = await asyncio.to_thread(self._source.look, self._loaded.config)

    async def watch(self, idle: Callable[[], bool]) -> None:
        """Reload the configuration whenever its files change, until cancelled.

        Replaced providers are closed when `idle` returns True: no call uses them.
        """
        source = self._source
        if source is None:
            return
        last = self._seen
        while True:
            await self._clock.sleep(LOOK_S)
            if self._retired and idle():
                await self._close_retired()
            before, last = last, await asyncio.to_thread(source.look, self._loaded.config)
            if last == self._seen or last != before:
                continue
            try:
                await self.reload()
            except ConfigError:
                continue  # reported in the log and in the response to GET /models
            except Exception as error:  # noqa: BLE001 - the next change must still be noticed
                self._seen = last
                await log_bug(log, "configuration not read", error)
                continue
            await self.warm_up()

    async def _close_retired(self) -> None:
        retired, self._retired = self._retired, []
        for provider in retired:
            await provider.close()

    async def close(self) -> None:
        """Close the providers' connections."""
        await self._close_retired()
        for provider in self._providers.values():
            await provider.close()


def _missing(loaded: Loaded) -> dict[str, ChatError]:
    """Return an error for each provider whose API key is missing or unusable."""
    missing = {}
    for name, provider in loaded.config.providers.items():
        key, hint = loaded.keys.get(name), key_hint(name, provider)
        if isinstance(key, BadKey):
            missing[name] = classify(Signals(provider=name, key_hint=hint, key_fault=key.fault))
            log.warning("key cannot be used", provider=name, error=missing[name].message)
        elif key is None and needs_key(provider):
            missing[name] = classify(Signals(provider=name, key_hint=hint, key_missing=True))
    return missing


def _asked(name: str, config: ProviderConfig) -> Asked:
    address = masked_url(address_of(config))
    return Asked(name, config.kind, address, limits_of(config).startup)
