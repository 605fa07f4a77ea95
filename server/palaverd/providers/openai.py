"""OpenAI's Responses API, and Chat Completions for compatible servers."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

import msgspec

from palaverd.providers.call import Opened
from palaverd.providers.chat_events import ChatDialect
from palaverd.providers.limits import CallLimits
from palaverd.providers.neutral import ModelEvent, ModelRequest
from palaverd.providers.openai_request import chat_arguments, responses_arguments
from palaverd.providers.posted import posted
from palaverd.providers.proxies import Proxy
from palaverd.providers.responses_events import ResponsesDialect
from palaverd.providers.sdk import SdkProvider
from palaverd.providers.transport import environment_headers, http_client

if TYPE_CHECKING:
    from openai import AsyncOpenAI

BASE_URL = "https://api.openai.com/v1"  # with /v1: the SDK's paths lack it

# Never sent: the SDK requires a key, a server without accounts does not.
_NO_KEY = "unused"


class OpenAIResponsesProvider(SdkProvider["AsyncOpenAI"]):
    """Streams answers of OpenAI's Responses API. `base_url` has `/v1`."""

    vendor_url = BASE_URL
    sdk = "openai"

    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Call the model; see `Provider.stream`."""
        return self._events(
            request,
            lambda sent: ResponsesDialect(sent.max_output_tokens, self._ignored),
            _respond,
        )

    def _make(self) -> AsyncOpenAI:
        return _client(self._base_url, self._api_key, self._limits, self._proxy)


class OpenAICompatibleProvider(SdkProvider["AsyncOpenAI"]):
    """Streams answers of a server that speaks Chat Completions. `base_url` has `/v1`.

    Without a key no authorization header is sent: most private servers have no accounts.
    """

    vendor_url = BASE_URL
    sdk = "openai"
    needs_key = False

    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Call the model; see `Provider.stream`."""
        keyless = self._api_key is None
        return self._events(
            request,
            lambda _: ChatDialect(self._ignored),
            lambda client, sent: _chat(client, sent, keyless),
        )

    def _make(self) -> AsyncOpenAI:
        return _client(self._base_url, self._api_key, self._limits, self._proxy)


def _respond(client: AsyncOpenAI, request: ModelRequest) -> AbstractAsyncContextManager[Opened]:
    return _post(client, "/responses", responses_arguments(request), {})


def _chat(
    client: AsyncOpenAI, request: ModelRequest, keyless: bool
) -> AbstractAsyncContextManager[Opened]:
    import openai

    # The SDK requires this header unless it is omitted explicitly for each call.
    headers = {"Authorization": openai.Omit()} if keyless else {}
    return _post(client, "/chat/completions", chat_arguments(request), headers)


def _post(
    client: AsyncOpenAI, path: str, body: dict[str, Any], headers: dict[str, Any]
) -> AbstractAsyncContextManager[Opened]:
    import openai

    return posted(
        client.post(
            path,
            content=msgspec.json.encode(body),
            # Not another key, which the SDK finds in the environment.
            options={"headers": headers, "security": {"bearer_auth": True}},
            cast_to=object,
            stream=True,
            stream_cls=openai.AsyncStream[object],
        )
    )


def _client(
    base_url: str, api_key: str | None, limits: CallLimits, proxy: Proxy | None
) -> AsyncOpenAI:
    import openai

    omit: Any = openai.Omit()
    headers = environment_headers("OPENAI_CUSTOM_HEADERS", omit, api_key)
    headers |= {"OpenAI-Organization": omit, "OpenAI-Project": omit}
    client = openai.AsyncOpenAI(
        api_key=api_key or _NO_KEY,
        base_url=base_url,
        max_retries=0,
        default_headers=headers,
        http_client=http_client(base_url, limits, proxy),
    )
    _rehearse()
    return client


def _rehearse() -> None:
    """Make one call to a mock transport, so that the first real call imports and builds nothing."""
    import httpx2
    import openai

    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, content=b""))
    with (
        httpx2.Client(transport=transport) as http,
        openai.OpenAI(
            api_key=_NO_KEY, base_url=BASE_URL, max_retries=0, http_client=http
        ) as client,
        client.post("/", body={}, cast_to=object, stream=True, stream_cls=openai.Stream[object]),
    ):
        pass
