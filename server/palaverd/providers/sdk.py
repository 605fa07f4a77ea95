"""The base class of providers: key, lazily created client, guarded call."""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from functools import partial
from itertools import count
from typing import ClassVar, Generic, NoReturn, Protocol, TypeVar

import msgspec
import structlog

from palaver.clock import Clock
from palaver.garbage import loading
from palaverd.config.keys import BadKey, Key
from palaverd.failures import ProviderFailure, classify
from palaverd.lean_imports import with_sdk
from palaverd.providers.call import Call, Opened, model_events
from palaverd.providers.dialect import Dialect
from palaverd.providers.errors import BadKeyError, NoKeyError
from palaverd.providers.exception_signals import Caller, refusal_of, signals_from
from palaverd.providers.ignored_data import IgnoredData
from palaverd.providers.lazy_client import LazyClient
from palaverd.providers.limits import DEFAULT_LIMITS, CallLimits
from palaverd.providers.neutral import BlockEnd, ModelEvent, ModelRequest
from palaverd.providers.private import returned, signed
from palaverd.providers.prompt import bounded
from palaverd.providers.proxies import proxy_for
from palaverd.providers.sdk_imports import all_or_nothing
from palaverd.providers.terms import MOST_LESSONS, Terms, learn
from palaverd.providers.transport import secrets_in

log = structlog.get_logger("palaverd.providers")


class Closeable(Protocol):
    """A client of a provider's server: an SDK's, or one of our own."""

    async def close(self) -> None:
        """Close its connections."""


C = TypeVar("C", bound=Closeable)


async def _close(client: Closeable) -> None:
    await client.close()


class SdkProvider(ABC, Generic[C]):
    """A provider, usually behind a vendor's SDK. Subclasses add client, request and dialect.

    `base_url` defaults to the vendor's; `key_hint` says where the key comes from, for error
    messages. Nothing is read from the environment or from profiles on disk, except proxies and
    certificates.

    A protocol without an SDK provides what the SDKs do: a client with `close()` (from `_make`,
    with `transport.http_client` inside); a call that opens an `Opened`, whose `http_response` is
    not read yet; and for a refused request an exception with three attributes, which are all that
    `exception_signals` reads of it: `status_code` (an int), `body` (the decoded JSON, or text) and
    `response` (its headers and URL are read). Other exceptions of the HTTP library may pass as they
    are.
    """

    vendor_url: ClassVar[str]
    # The package that is imported for it, if it is the vendor's.
    sdk: ClassVar[str | None] = None
    # Without a key, no request is made.
    needs_key: ClassVar[bool] = True

    def __init__(
        self,
        name: str,
        *,
        base_url: str | None,
        api_key: Key,
        key_hint: str,
        clock: Clock,
        limits: CallLimits | None = None,
    ) -> None:
        self.name = name
        self._base_url = base_url or self.vendor_url
        self._key_fault = api_key.fault if isinstance(api_key, BadKey) else None
        self._api_key = api_key if isinstance(api_key, str) else None
        self._clock = clock
        self._limits = limits or DEFAULT_LIMITS
        self._proxy = proxy_for(self._base_url, os.environ)
        through = self._proxy
        hidden = (
            *secrets_in(self._base_url),
            *(secrets_in(through.url) if through else ()),
            *((self._api_key,) if self._api_key else ()),
        )
        self._caller = Caller(
            name,
            key_hint,
            hidden,
            through.shown if through else None,
            through.variable if through else None,
        )
        self._ignored = IgnoredData(name, hidden)
        self._learned: dict[tuple[str, Terms], Terms] = {}
        self._origin = self._own_name()
        self._client: LazyClient[C] = LazyClient(self._make_whole, _close)

    def _own_name(self) -> str:
        """Return an id of provider and account, which tells whether two answers share them.

        Of the key it has eight digits of a digest: enough to distinguish keys, not to find one.
        """
        account = "\n".join((type(self).__name__, self._base_url, self._api_key or ""))
        return hashlib.sha256(account.encode()).hexdigest()[:8]

    @abstractmethod
    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Call the model, with `_events`; see `Provider.stream`."""

    @abstractmethod
    def _make(self) -> C:
        """Import the SDK and create its client. Runs in a thread."""

    def _make_whole(self) -> C:
        with all_or_nothing(), loading():
            return self._make() if self.sdk is None else with_sdk(self.sdk, self._make)

    async def warm_up(self) -> None:
        """Import the SDK and create the client, off the event loop. Does nothing without a key.

        Raises:
            ProviderFailure: the client cannot be created; kind `config` for a bad base_url.
        """
        if self._key_fault is None and (self._api_key or not self.needs_key):
            await self._ready(None)

    async def close(self) -> None:
        """Close connections."""
        await self._client.close()

    async def _events(
        self,
        request: ModelRequest,
        dialect: Callable[[ModelRequest], Dialect],
        opening: Callable[[C, ModelRequest], AbstractAsyncContextManager[Opened]],
    ) -> AsyncGenerator[ModelEvent, None]:
        """Call the model; if it refuses the form of the request, retry in another form.

        `dialect` returns a new reader for each call. `opening` sends the request and yields the
        response once its headers are there.
        """
        model = request.called or request.model
        if self._key_fault is not None:
            self._fail(BadKeyError(self._key_fault), model)
        if self.needs_key and not self._api_key:
            self._fail(NoKeyError(), model)
        client = await self._ready(model)
        call = Call(self._caller, model, self._clock, self._limits)
        asked = (request.model, request.terms)
        terms = self._learned.get(asked, request.terms)
        for lessons in count():
            sent = self._on(request, terms)
            try:
                opened = partial(opening, client, sent)
                async with aclosing(model_events(call, opened, dialect(sent))) as events:
                    async for event in events:
                        yield self._signed(event) if type(event) is BlockEnd else event
            except ProviderFailure as failure:
                learned = None
                if lessons < MOST_LESSONS and (refusal := refusal_of(failure.__cause__)):
                    learned = learn(terms, refusal, sent.max_output_tokens)
                if learned is None:
                    raise
                log.info(
                    "request refused, sent in another form",
                    provider=self.name,
                    model=request.model,
                    status=failure.error.status_code,
                    detail=failure.error.detail,
                    terms=msgspec.to_builtins(learned),
                )
                terms = learned
            else:
                self._learned[asked] = terms.lasting
                return

    def _on(self, request: ModelRequest, terms: Terms) -> ModelRequest:
        """Return the request with `terms` applied, and only this provider's private data."""
        sent = msgspec.structs.replace(
            request,
            terms=terms,
            turns=returned(request.turns, self._origin if terms.returns else None),
        )
        return msgspec.structs.replace(sent, max_output_tokens=bounded(sent))

    def _signed(self, event: BlockEnd) -> BlockEnd:
        if event.private is None:
            return event
        private = signed(event.private, self._origin)
        return msgspec.structs.replace(event, private=private)

    async def _ready(self, model: str | None) -> C:
        try:
            return await self._client.get()
        except Exception as error:  # noqa: BLE001  (classified, and raised again)
            self._fail(error, model)

    def _fail(self, error: Exception, model: str | None) -> NoReturn:
        signals = signals_from(error, caller=self._caller, model=model, at=self._clock.now())
        raise ProviderFailure(classify(signals)) from error
