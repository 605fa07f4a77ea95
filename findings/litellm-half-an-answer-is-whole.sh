#!/usr/bin/env bash
# LiteLLM's proxy says `stop` of an answer that broke off: the server behind it died, or said that
# it failed.
#
# Seen with litellm 1.83.0 and Python 3.11, models `openai/...` and `hosted_vllm/...`, over Chat
# Completions with stream.
#
# One would guess: a gateway whose own connection breaks in mid-answer passes that on, as an error in
# the stream or by breaking off itself; `finish_reason: "stop"` comes only where a model said it.
# What happens: where the connection to the server behind it breaks, the client gets what came of
# the answer, then `finish_reason: "stop"`, its own count of tokens, and `[DONE]`: as of a whole one.
# With `hosted_vllm/` (vLLM, llama.cpp, and who else is compatible) an error that the server reports
# inside the stream is swallowed as well; with `openai/` that one is passed on.
#
# What follows: no client can see behind it that an answer is half. Whoever needs to know talks to
# the server itself, or names it as `openai/` at least.
set -euo pipefail
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'litellm[proxy]==1.83.0'
cat > "$work/probe.py" <<'PY'
import asyncio
import json
import os
import sys

import httpx

PROXY, BEHIND = 18431, 18432


def chunk(**fields: object) -> bytes:
    event = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", **fields}
    data = b"data: " + json.dumps(event).encode() + b"\n\n"
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


WORD = chunk(choices=[{"index": 0, "delta": {"role": "assistant", "content": "One"}}])
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
ENDS = {
    "dies": b"",
    "fails": chunk(error={"code": 500, "message": "out of memory", "type": "server_error"})
    + b"0\r\n\r\n",
}


async def main() -> None:
    end = b""

    async def behind(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + WORD + end)
        await writer.drain()
        await asyncio.sleep(0.2)
        writer.close()

    await asyncio.start_server(behind, "127.0.0.1", BEHIND)
    models = [
        {
            "model_name": kind,
            "litellm_params": {
                "model": f"{kind}/m",
                "api_base": f"http://127.0.0.1:{BEHIND}/v1",
                "api_key": "k",
            },
        }
        for kind in ("openai", "hosted_vllm")
    ]
    with open("config.yaml", "w") as file:
        json.dump({"model_list": models, "litellm_settings": {"num_retries": 0}}, file)
    proxy = await asyncio.create_subprocess_exec(
        sys.argv[1], "--config", "config.yaml", "--host", "127.0.0.1", "--port", str(PROXY),
        env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{PROXY}", timeout=30) as client:
            for _ in range(300):
                try:
                    await client.get("/health/liveliness")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.2)
            for model in ("openai", "hosted_vllm"):
                for name, end in ENDS.items():
                    body = {
                        "model": model, "stream": True,
                        "messages": [{"role": "user", "content": "hi"}],
                    }
                    answer = await client.post("/v1/chat/completions", json=body)
                    words = []
                    for line in answer.text.splitlines():
                        event = line.removeprefix("data: ")
                        if event.startswith("{"):
                            event = json.loads(event)
                            words += [c["finish_reason"] for c in event.get("choices", [])
                                      if c.get("finish_reason")]
                            words += ["error"] if "error" in event else []
                        elif event:
                            words.append(event)
                    print(f"{model}, the server behind {name}: {answer.status_code} {words}")
    finally:
        proxy.terminate()
        await proxy.wait()


asyncio.run(main())
PY
cd "$work"
"$work/venv/bin/python" "$work/probe.py" "$work/venv/bin/litellm" | tee "$work/seen"
diff - "$work/seen" <<'SEEN'
openai, the server behind dies: 200 ['stop', '[DONE]']
openai, the server behind fails: 200 ['error']
hosted_vllm, the server behind dies: 200 ['stop', '[DONE]']
hosted_vllm, the server behind fails: 200 ['stop', '[DONE]']
SEEN
