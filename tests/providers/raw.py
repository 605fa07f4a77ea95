"""A provider that responds with given bytes, and valid streams of the three protocols to change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from palaver.clock import Clock
from providers.calling import Kind, Outcome, ask, call, made

Event = dict[str, Any]

STREAM = "text/event-stream"
DONE = b"data: [DONE]\n\n"


class RawServer:
    """Sends the next of `answers` to each request, the last one for ever, and closes.

    An answer is the whole response, head and body. With None after it: stay open.
    """

    def __init__(self, answers: Sequence[bytes | tuple[bytes, None]]) -> None:
        self.answers = list(answers)
        self.requests = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await read_request(reader)
            answer = self.answers[min(self.requests, len(self.answers) - 1)]
            self.requests += 1
            writer.write(answer if isinstance(answer, bytes) else answer[0])
            await writer.drain()
            if not isinstance(answer, bytes):
                await reader.read()  # until the client closes
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def read_request(reader: asyncio.StreamReader) -> None:
    """Read one request with a body of declared length."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length:")
    )
    await reader.readexactly(length)


@asynccontextmanager
async def raw_server(*answers: bytes | tuple[bytes, None]) -> AsyncIterator[RawServer]:
    serving = RawServer(answers)
    server = await asyncio.start_server(serving.serve, "127.0.0.1", 0)
    serving.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield serving
    finally:
        server.close()
        await server.wait_closed()


def answer(body: bytes, content_type: str | None = STREAM, *more: str) -> bytes:
    """Return a whole response whose body ends with the connection."""
    head = ["HTTP/1.1 200 OK", "Connection: close", *more]
    if content_type is not None:
        head.append(f"Content-Type: {content_type}")
    return "\r\n".join([*head, "", ""]).encode() + body


def cut(body: bytes, content_type: str = STREAM) -> bytes:
    """Return a response whose body breaks off: chunks without the last one."""
    chunk = f"{len(body):x}\r\n".encode() + body + b"\r\n"
    return answer(chunk, content_type, "Transfer-Encoding: chunked")


async def ask_raw(
    kind: Kind,
    *answers: bytes | tuple[bytes, None],
    clock: Clock | None = None,
    **request: Any,
) -> Outcome:
    """Return a provider's result of a response, through the real SDK over a real socket."""
    async with raw_server(*answers) as server, made(kind, server.url, clock=clock) as provider:
        return await call(provider, ask("hi", **request))


# --- valid streams --------------------------------------------------------------------------


def data(*events: Any) -> bytes:
    """Return events as a stream, named where they have a type."""
    return b"".join(map(_event, events))


def _event(event: Any) -> bytes:
    if isinstance(event, bytes):
        return event
    name = event.get("type") if isinstance(event, dict) else None
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + msgspec.json.encode(event) + b"\n\n"


def chunk(finish: Any = None, **delta: Any) -> Event:
    """Return a chunk of Chat Completions."""
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def chat(
    *texts: str, finish: Any = ..., thought: str = "", usage: Any = ..., call: str = ""
) -> list[Event]:
    """Return a valid stream of Chat Completions, without `[DONE]`.

    Pieces of reasoning, and of a call's arguments, are separated by `|`.
    """
    if finish is ...:
        finish = "tool_calls" if call else "stop"
    if usage is ...:
        usage = {"prompt_tokens": 10, "completion_tokens": 5}
    model = {"id": "c1", "model": "m-1", "object": "chat.completion.chunk"}
    chunks = [chunk(role="assistant", content="")]
    chunks += [chunk(reasoning_content=piece) for piece in thought.split("|") if piece]
    chunks += [chunk(content=text) for text in texts]
    for number, piece in enumerate(call.split("|") if call else ()):
        function: Event = {"arguments": piece}
        head: Event = {"index": 0, "function": function}
        if not number:
            head |= {"id": "call_1", "type": "function", "function": function | {"name": "f"}}
        chunks.append(chunk(tool_calls=[head]))
    chunks.append(chunk(finish))
    if usage is not None:
        chunks.append({"choices": [], "usage": usage})
    return [model | one for one in chunks]


def messages(*texts: str, finish: Any = ..., thought: str = "", call: str = "") -> list[Event]:
    """Return a valid stream of Anthropic's Messages."""
    if finish is ...:
        finish = "tool_use" if call else "end_turn"

    def start(index: int, **block: Any) -> Event:
        return {"type": "content_block_start", "index": index, "content_block": block}

    def delta(index: int, **delta: Any) -> Event:
        return {"type": "content_block_delta", "index": index, "delta": delta}

    usage = {"input_tokens": 10, "output_tokens": 1}
    begun = {"id": "m1", "type": "message", "role": "assistant", "model": "m-1", "content": []}
    events: list[Event] = [{"type": "message_start", "message": begun | {"usage": usage}}]
    index = 0
    if thought:
        events.append(start(0, type="thinking", thinking="", signature=""))
        events += [delta(0, type="thinking_delta", thinking=t) for t in thought.split("|")]
        events.append(delta(0, type="signature_delta", signature="sig"))
        events.append({"type": "content_block_stop", "index": 0})
        index = 1
    events.append(start(index, type="text", text=""))
    events += [delta(index, type="text_delta", text=text) for text in texts]
    events.append({"type": "content_block_stop", "index": index})
    if call:
        index += 1
        events.append(start(index, type="tool_use", id="call_1", name="f", input={}))
        pieces = call.split("|")
        events += [delta(index, type="input_json_delta", partial_json=one) for one in pieces]
        events.append({"type": "content_block_stop", "index": index})
    ended = {"stop_reason": finish, "stop_sequence": None}
    events.append({"type": "message_delta", "delta": ended, "usage": {"output_tokens": 5}})
    return [*events, {"type": "message_stop"}]


def responses(
    *texts: str, status: str = "completed", thought: str = "", call: str = ""
) -> list[Event]:
    """Return a valid stream of OpenAI's Responses, with the text in each of its five places."""
    whole = "".join(texts)
    events: list[Event] = []
    output: list[Event] = []

    def add(name: str, **fields: Any) -> None:
        events.append({"type": f"response.{name}", "sequence_number": len(events), **fields})

    add("created", response={"id": "r1", "model": "m-1", "status": "in_progress", "output": []})
    if thought:
        item = {"type": "reasoning", "id": "rs_1", "summary": []}
        add("output_item.added", output_index=0, item=item)
        where: Event = {"item_id": "rs_1", "output_index": 0, "summary_index": 0}
        for piece in thought.split("|"):
            add("reasoning_summary_text.delta", **where, delta=piece)
        said = thought.replace("|", "")
        add("reasoning_summary_text.done", **where, text=said)
        summary = [{"type": "summary_text", "text": said}]
        output.append(item | {"summary": summary, "encrypted_content": "sealed"})
        add("output_item.done", output_index=0, item=output[-1])
    index = len(output)
    item = {"type": "message", "id": "msg_1", "role": "assistant", "content": []}
    part: Event = {"type": "output_text", "text": "", "annotations": []}
    where = {"item_id": "msg_1", "output_index": index, "content_index": 0}
    add("output_item.added", output_index=index, item=item)
    add("content_part.added", **where, part=part)
    for text in texts:
        add("output_text.delta", **where, delta=text, logprobs=[])
    add("output_text.done", **where, text=whole)
    add("content_part.done", **where, part=part | {"text": whole})
    output.append(item | {"content": [part | {"text": whole}], "status": "completed"})
    add("output_item.done", output_index=index, item=output[-1])
    if call:
        where = {"item_id": "fc_1", "output_index": index + 1}
        item = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f"}
        add("output_item.added", output_index=index + 1, item=item | {"arguments": ""})
        for piece in call.split("|"):
            add("function_call_arguments.delta", **where, delta=piece)
        arguments = call.replace("|", "")
        add("function_call_arguments.done", **where, arguments=arguments)
        output.append(item | {"arguments": arguments})
        add("output_item.done", output_index=index + 1, item=output[-1])
    details = {"reason": "max_output_tokens"} if status == "incomplete" else None
    response = {"id": "r1", "model": "m-1", "status": status, "output": output}
    usage = {"input_tokens": 10, "output_tokens": 5}
    add(status, response=response | {"usage": usage, "incomplete_details": details})
    return events


def good(kind: Kind, *texts: str, thought: str = "", call: str = "") -> list[Any]:
    """Return a valid stream of any protocol, with its end mark."""
    if kind == "anthropic":
        return messages(*texts, thought=thought, call=call)
    if kind == "openai":
        return responses(*texts, thought=thought, call=call)
    return [*chat(*texts, thought=thought, call=call), DONE]


def whole(kind: Kind, text: str) -> Event:
    """Return the response of a server that ignores `stream`."""
    if kind == "anthropic":
        return {
            "type": "message",
            "role": "assistant",
            "model": "m-1",
            "content": [{"type": "text", "text": text}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 10, "output_tokens": 5},
        }
    if kind == "openai":
        content = [{"type": "output_text", "text": text}]
        return {
            "object": "response",
            "status": "completed",
            "model": "m-1",
            "output": [{"type": "message", "role": "assistant", "content": content}],
            "usage": {"input_tokens": 10, "output_tokens": 5},
        }
    message = {"role": "assistant", "content": text}
    return {
        "object": "chat.completion",
        "model": "m-1",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5},
    }
