"""Read the provider without Palaver: `python -m bench.direct_reader URL HOW STREAMS REQUEST`.

HOW is `sdk` (the vendor's typed events), `httpx2` (the HTTP client that Palaver uses, discarding
the bodies) or `aiohttp` (the same through the SDK's other transport). Prints `live` when every
stream has begun, and at the end, as one JSON line, the age of each word when it was read, in
nanoseconds (an empty list unless HOW is `sdk`), and on another line the CPU time of all streams in
seconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import click

from bench.begun import Begun
from palaverd.providers.limits import DEFAULT_LIMITS
from palaverd.providers.transport import http_client


def anthropic_client(url: str, transport: str) -> Any:
    """Return the SDK's client on one of the two transports."""
    import anthropic
    import httpx2

    if transport == "aiohttp":
        http: Any = anthropic.DefaultAioHttpClient(
            timeout=httpx2.Timeout(None, connect=DEFAULT_LIMITS.connect), trust_env=False
        )
    else:
        http = http_client(url, DEFAULT_LIMITS, None)
    return anthropic.AsyncAnthropic(api_key="bench", base_url=url, max_retries=0, http_client=http)


def request(content: str) -> dict[str, Any]:
    """Return the arguments of a call."""
    return {
        "model": "bench",
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": content}],
        "stream": True,
    }


async def read_typed(client: Any, content: str, begun: Begun) -> list[int]:
    """Read typed events; return the age of each word in nanoseconds."""
    ages: list[int] = []
    async with await client.messages.create(**request(content)) as stream:
        async for event in stream:
            if event.type == "content_block_delta":
                ages.append(time.monotonic_ns() - int(event.delta.text))
                if len(ages) == 1:
                    begun.note()
    return ages


async def read_bytes(client: Any, content: str, begun: Begun) -> list[int]:
    """Read the body and discard it; return no ages."""
    opening = client.messages.with_streaming_response.create(**request(content))
    async with opening as opened:
        chunks = opened.http_response.aiter_bytes()
        await anext(chunks)
        begun.note()
        async for _ in chunks:
            pass
    return []


async def main(url: str, how: str, streams: int, content: str) -> None:
    """Read `streams` streams concurrently, and print the ages."""
    client = anthropic_client(url, how)
    read = read_typed if how == "sdk" else read_bytes
    await read(client, "1 0 0", Begun(2))  # the first call imports and connects
    begun, before = Begun(streams), time.process_time()
    ages = await asyncio.gather(*(read(client, content, begun) for _ in range(streams)))
    click.echo(json.dumps([age for each in ages for age in each]))
    click.echo(str(time.process_time() - before))
    await client.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))
