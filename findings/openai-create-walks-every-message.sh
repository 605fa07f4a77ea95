#!/usr/bin/env bash
# A request of the OpenAI SDK with 400 messages costs about 50 ms of CPU time before anything is
# sent, in the event loop's thread; the same request through the client's `post` costs half a millisecond.
#
# Seen with openai 3.52.0, pydantic 2 and Python 3.11.
#
# One would guess: `create(messages=[…])` with plain dictionaries encodes them as JSON, and an
# asynchronous client may be used for many conversations at once.
# What happens: `create` compares every message with every alternative of its type, to rename fields
# and to encode dates, whether there is something to rename or not. It takes about 0.1 ms for each
# message: the whole history of a conversation, for every request, while all other tasks of the event
# loop wait. Chat Completions and Responses do it alike. Anthropic's SDK (2.11.0) does the same work
# in less than 2 microseconds for each message.
#
# What follows: with histories of some length, use the documented way for other endpoints,
# `client.post(path, body=…, cast_to=…)`, which sends dictionaries as they are, with the same
# headers, retries and errors.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  openai==3.52.0 anthropic==2.11.0 httpx2==2.16.2
cat > "$work/probe.py" <<'PY'
import asyncio
import time

import anthropic
import httpx2
import openai

MESSAGES = [{"role": "user", "content": "hello"}] * 400
REQUESTS = 5


def client_of(sdk):
    # No network: what is measured is what comes before it.
    transport = httpx2.MockTransport(lambda _request: httpx2.Response(200, json={}))
    http = httpx2.AsyncClient(transport=transport)
    return sdk(api_key="key", max_retries=0, http_client=http)


async def cost_of(call) -> float:
    await call()  # the first one imports and builds models
    began = time.process_time()
    for _ in range(REQUESTS):
        await call()
    return (time.process_time() - began) / REQUESTS * 1000


async def main() -> None:
    client, other = client_of(openai.AsyncOpenAI), client_of(anthropic.AsyncAnthropic)
    body = {"model": "m", "messages": MESSAGES}
    completions = client.chat.completions.with_raw_response
    responses = client.responses.with_raw_response
    messages = other.messages.with_raw_response
    chat = await cost_of(lambda: completions.create(**body))
    response = await cost_of(lambda: responses.create(model="m", input=MESSAGES))
    posted = await cost_of(lambda: client.post("/chat/completions", body=body, cast_to=object))
    theirs = await cost_of(lambda: messages.create(max_tokens=9, **body))
    print(f"chat.completions.create {chat:.1f} ms, responses.create {response:.1f} ms")
    print(f"post {posted:.1f} ms; anthropic's messages.create {theirs:.1f} ms")
    assert min(chat, response) > 10 * max(posted, theirs), "create no longer costs what it did"


asyncio.run(main())
PY
"$work/venv/bin/python" "$work/probe.py"
echo "as described"
