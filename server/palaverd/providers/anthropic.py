"""Anthropic's Messages API, through the vendor's SDK."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import msgspec

from palaverd.lean_imports import import_errors
from palaverd.providers.anthropic_events import AnthropicDialect
from palaverd.providers.anthropic_request import arguments
from palaverd.providers.call import Opened
from palaverd.providers.lazy_client import in_thread
from palaverd.providers.neutral import ModelEvent, ModelRequest
from palaverd.providers.posted import posted
from palaverd.providers.sdk import SdkProvider
from palaverd.providers.sdk_imports import all_or_nothing
from palaverd.providers.transport import environment_headers, http_client

if TYPE_CHECKING:
    import httpx2
    from anthropic import AsyncAnthropic

BASE_URL = "https://api.anthropic.com"  # without /v1: the SDK's paths have it
_PATH = "/v1/messages"


class AnthropicProvider(SdkProvider["AsyncAnthropic"]):
    """Streams answers of Anthropic's Messages API. `base_url` has no `/v1`."""

    vendor_url = BASE_URL
    sdk = "anthropic"

    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Call the model; see `Provider.stream`."""
        return self._events(request, lambda _: AnthropicDialect(self._ignored), _open)

    def _make(self) -> AsyncAnthropic:
        import anthropic

        http = http_client(self._base_url, self._limits, self._proxy)
        http.event_hooks = {"response": [_prepare_errors]}
        client = anthropic.AsyncAnthropic(
            api_key=self._api_key,
            base_url=self._base_url,
            max_retries=0,
            default_headers=environment_headers(
                "ANTHROPIC_CUSTOM_HEADERS", anthropic.Omit(), self._api_key
            ),
            open_telemetry=False,
            http_client=http,
        )
        _rehearse()
        return client


def _open(client: AsyncAnthropic, request: ModelRequest) -> AbstractAsyncContextManager[Opened]:
    import anthropic

    return posted(
        client.post(
            _PATH,
            content=msgspec.json.encode(arguments(request)),
            cast_to=object,
            stream=True,
            stream_cls=anthropic.AsyncStream[object],
        )
    )


async def _prepare_errors(response: httpx2.Response) -> None:
    """Import the SDK's errors before it raises one: there are hundreds, which take 40 ms."""
    if response.is_error:
        await in_thread(_import_errors)


def _import_errors() -> None:
    with all_or_nothing():
        import_errors("anthropic")


def _rehearse() -> None:
    """Make one call to a mock transport, so that the first real call imports nothing.

    The SDK builds its models and detects the platform at its first call.
    """
    import anthropic
    import httpx2

    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, content=b""))
    with (
        httpx2.Client(transport=transport) as http,
        anthropic.Anthropic(
            api_key="rehearsal",
            base_url=BASE_URL,
            max_retries=0,
            open_telemetry=False,
            http_client=http,
        ) as client,
        client.post(
            _PATH, body={}, cast_to=object, stream=True, stream_cls=anthropic.Stream[object]
        ),
    ):
        pass
