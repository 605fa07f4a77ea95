"""Anthropic's Messages API, through the vendor's SDK."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from palaverd.providers.anthropic_events import AnthropicDialect
from palaverd.providers.anthropic_request import arguments
from palaverd.providers.call import Opened
from palaverd.providers.neutral import ModelEvent, ModelRequest
from palaverd.providers.sdk import SdkProvider
from palaverd.providers.transport import environment_headers, http_client

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

BASE_URL = "https://api.anthropic.com"  # without /v1: the SDK's paths have it


class AnthropicProvider(SdkProvider["AsyncAnthropic"]):
    """Streams answers of Anthropic's Messages API. `base_url` has no `/v1`."""

    vendor_url = BASE_URL

    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Call the model; see `Provider.stream`."""
        return self._events(request, lambda _: AnthropicDialect(self._ignored), _open)

    def _make(self) -> AsyncAnthropic:
        import anthropic
        import httpx2

        client = anthropic.AsyncAnthropic(
            api_key=self._api_key,
            base_url=self._base_url,
            max_retries=0,
            default_headers=environment_headers(
                "ANTHROPIC_CUSTOM_HEADERS", anthropic.Omit(), self._api_key
            ),
            open_telemetry=False,
            http_client=http_client(self._base_url, self._limits, self._proxy),
        )
        _rehearse(anthropic, httpx2)
        return client


def _open(client: AsyncAnthropic, request: ModelRequest) -> AbstractAsyncContextManager[Opened]:
    return client.messages.with_streaming_response.create(**arguments(request))


def _rehearse(anthropic: Any, httpx2: Any) -> None:
    """Make one call to a mock transport, so that the first real call imports nothing.

    The SDK builds its models and detects the platform at its first call, which would block the
    event loop for tens of milliseconds.
    """
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, content=b""))
    with (
        httpx2.Client(transport=transport) as http,
        anthropic.Anthropic(
            api_key="rehearsal", base_url=BASE_URL, max_retries=0, http_client=http
        ) as client,
        client.messages.with_streaming_response.create(
            model="rehearsal",
            max_tokens=1,
            messages=[{"role": "user", "content": "."}],
            stream=True,
        ),
    ):
        pass
