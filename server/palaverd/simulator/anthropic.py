"""Anthropic's Messages API, as its documentation and its SDK describe it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from palaverd.simulator.faults import Fault
from palaverd.simulator.pairing import check_blocks
from palaverd.simulator.prompt import Answer, BadRequestError, Prompt, text_of
from palaverd.simulator.wire import Frame, Kind, pieces, sse

_STOP = {"stop": "end_turn", "length": "max_tokens", "tool": "tool_use", "filter": "refusal"}


class AnthropicWire:
    """`POST /v1/messages`."""

    path = "/v1/messages"
    request_id_header = "request-id"

    def read(self, body: Mapping[str, Any]) -> Prompt:
        """Parse a request; see `Wire.read`."""
        model, messages, most = body.get("model"), body.get("messages"), body.get("max_tokens")
        if not isinstance(model, str):
            raise BadRequestError("model: Field required")
        if not isinstance(messages, list) or not messages:
            raise BadRequestError("messages: at least one message is required")
        if not isinstance(most, int) or most < 1:
            raise BadRequestError("max_tokens: Field required")
        texts: list[tuple[str, str]] = []
        for number, message in enumerate(messages):
            role = message.get("role") if isinstance(message, dict) else None
            if role not in ("user", "assistant"):
                raise BadRequestError(f"messages.{number}.role: Input should be 'user'")
            if not message.get("content"):
                raise BadRequestError(f"messages.{number}: content must be non-empty")
            # The message after a failed one arrives merged with it, as a block of its own.
            content = message["content"]
            blocks = [[block] for block in content] if isinstance(content, list) else [content]
            texts += [(role, text_of(block)) for block in blocks]
        check_blocks(messages)
        thinking = body.get("thinking")
        return Prompt(
            model=model,
            texts=texts,
            system=text_of(body.get("system")),
            stream=body.get("stream") is True,
            max_tokens=most,
            reasoning=isinstance(thinking, dict) and thinking.get("type") != "disabled",
        )

    def frames(self, answer: Answer, prompt: Prompt) -> Iterator[Frame]:
        """Yield the events of a streamed answer, in the documented order."""
        message = self.whole(answer) | {"content": [], "stop_reason": None}
        message["usage"] = self._usage(answer) | {"output_tokens": 1}
        yield _event("message_start", message=message)
        yield Frame(self.ping())
        for index, (start, deltas) in enumerate(self._blocks(answer)):
            yield _event("content_block_start", index=index, content_block=start)
            for delta in deltas:
                kind: Kind = "arguments" if start["type"] == "tool_use" else "word"
                yield _event("content_block_delta", kind, index=index, delta=delta)
            yield _event("content_block_stop", index=index)
        yield _event(
            "message_delta",
            delta={"stop_reason": _STOP[answer.finish], "stop_sequence": None},
            usage=self._usage(answer),
        )
        yield _event("message_stop", "terminal")

    def whole(self, answer: Answer) -> dict[str, Any]:
        """Return the body of an answer that is not streamed."""
        content: list[dict[str, Any]] = []
        if answer.reasoning:
            content.append(
                {"type": "thinking", "thinking": answer.reasoning, "signature": _signature(answer)}
            )
        if answer.text:
            content.append({"type": "text", "text": answer.text})
        content += (
            {
                "type": "tool_use",
                "id": call_id,
                "name": use.tool,
                "input": msgspec.json.decode(use.arguments),
            }
            for call_id, use in zip(answer.call_ids("toolu"), answer.calls, strict=True)
        )
        return {
            "id": f"msg_{answer.id}",
            "type": "message",
            "role": "assistant",
            "model": answer.model,
            "content": content,
            "stop_reason": _STOP[answer.finish],
            "stop_sequence": None,
            "usage": self._usage(answer),
        }

    def error(self, fault: Fault, message: str | None, request_id: str) -> dict[str, Any]:
        """Return the body of an error."""
        error = {"type": fault.anthropic, "message": message or fault.message}
        return {"type": "error", "error": error, "request_id": request_id}

    def error_event(self, fault: Fault, request_id: str) -> bytes:
        """Return an error inside a stream."""
        return sse(self.error(fault, None, request_id), "error")

    def ping(self) -> bytes:
        """Return a ping event."""
        return sse({"type": "ping"}, "ping")

    def _usage(self, answer: Answer) -> dict[str, Any]:
        return {
            "input_tokens": answer.input_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": answer.output_tokens,
            "output_tokens_details": {"thinking_tokens": answer.reasoning_tokens},
            "service_tier": "standard",
        }

    def _blocks(self, answer: Answer) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        if answer.reasoning:
            deltas: list[dict[str, Any]] = [
                {"type": "thinking_delta", "thinking": piece} for piece in pieces(answer.reasoning)
            ]
            deltas.append({"type": "signature_delta", "signature": _signature(answer)})
            yield {"type": "thinking", "thinking": "", "signature": ""}, deltas
        if answer.text:
            yield (
                {"type": "text", "text": ""},
                [{"type": "text_delta", "text": piece} for piece in pieces(answer.text)],
            )
        for call_id, use in zip(answer.call_ids("toolu"), answer.calls, strict=True):
            yield (
                {"type": "tool_use", "id": call_id, "name": use.tool, "input": {}},
                [{"type": "input_json_delta", "partial_json": cut} for cut in ("", *use.cuts)],
            )


def _event(name: str, kind: Kind = "structure", **fields: Any) -> Frame:
    return Frame(sse({"type": name, **fields}, name), kind)


def _signature(answer: Answer) -> str:
    return f"sig-{answer.id}"
