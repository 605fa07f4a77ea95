"""OpenAI's Responses API, as its documentation and its SDK describe it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from palaverd.simulator.faults import Fault
from palaverd.simulator.pairing import check_items
from palaverd.simulator.prompt import Answer, BadRequestError, Prompt, text_of
from palaverd.simulator.wire import Frame, Kind, pieces, sse

# Calls and results are items of their own, without a role.
_CALL_ROLES = {"function_call": "assistant", "function_call_output": "tool"}
_INCOMPLETE = {"length": "max_output_tokens", "filter": "content_filter"}


class ResponsesWire:
    """`POST /v1/responses`."""

    path = "/v1/responses"
    request_id_header = "x-request-id"

    def read(self, body: Mapping[str, Any]) -> Prompt:
        """Parse a request; see `Wire.read`."""
        model, given = body.get("model"), body.get("input")
        if not isinstance(model, str):
            raise BadRequestError("Missing required parameter: 'model'.")
        if isinstance(given, str):
            given = [{"role": "user", "content": given}]
        if not isinstance(given, list) or not given:
            raise BadRequestError("Missing required parameter: 'input'.")
        texts = [
            (_role_of(item), text_of(item.get("content")))
            for item in given
            if isinstance(item, dict) and item.get("type") in (None, "message", *_CALL_ROLES)
        ]
        check_items(given)
        most = body.get("max_output_tokens")
        return Prompt(
            model=model,
            texts=texts,
            system=text_of(body.get("instructions")),
            stream=body.get("stream") is True,
            max_tokens=most if isinstance(most, int) else None,
            reasoning=bool(body.get("reasoning")),
        )

    def frames(self, answer: Answer, prompt: Prompt) -> Iterator[Frame]:
        """Yield the events of a streamed answer, each with its sequence number."""
        numbers = count()

        def event(name: str, kind: Kind = "structure", **fields: Any) -> Frame:
            data = {"type": name, "sequence_number": next(numbers), **fields}
            return Frame(sse(data, name), kind)

        begun = self.whole(answer) | {"status": "in_progress", "output": [], "usage": None}
        yield event("response.created", response=begun)
        yield event("response.in_progress", response=begun)
        for index, item in enumerate(self._output(answer)):
            where = {"output_index": index, "item_id": item["id"]}
            yield event("response.output_item.added", output_index=index, item=_empty(item))
            if item["type"] == "reasoning":
                where["summary_index"] = 0
                begun_part = {"type": "summary_text", "text": ""}
                yield event("response.reasoning_summary_part.added", **where, part=begun_part)
                for piece in pieces(answer.reasoning):
                    name = "response.reasoning_summary_text.delta"
                    yield event(name, "word", **where, delta=piece)
                name = "response.reasoning_summary_text.done"
                yield event(name, **where, text=answer.reasoning)
            elif item["type"] == "message":
                where["content_index"] = 0
                part: dict[str, Any] = {"type": "output_text", "text": "", "annotations": []}
                yield event("response.content_part.added", **where, part=part)
                for piece in pieces(answer.text):
                    name = "response.output_text.delta"
                    yield event(name, "word", **where, delta=piece, logprobs=[])
                yield event("response.output_text.done", **where, text=answer.text, logprobs=[])
                done = part | {"text": answer.text}
                yield event("response.content_part.done", **where, part=done)
            else:
                use = answer.calls[answer.call_ids("fc").index(item["id"])]
                for cut in use.cuts:
                    name = "response.function_call_arguments.delta"
                    yield event(name, "arguments", **where, delta=cut)
                name = "response.function_call_arguments.done"
                yield event(name, **where, arguments=use.arguments)
            yield event("response.output_item.done", output_index=index, item=item)
        whole = self.whole(answer)
        yield event(f"response.{whole['status']}", "terminal", response=whole)

    def whole(self, answer: Answer) -> dict[str, Any]:
        """Return the body of an answer that is not streamed."""
        reason = _INCOMPLETE.get(answer.finish)
        return {
            "id": f"resp_{answer.id}",
            "object": "response",
            "created_at": 1735689600,
            "status": "incomplete" if reason else "completed",
            "error": None,
            "incomplete_details": {"reason": reason} if reason else None,
            "model": answer.model,
            "output": self._output(answer),
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "usage": {
                "input_tokens": answer.input_tokens,
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens": answer.output_tokens,
                "output_tokens_details": {"reasoning_tokens": answer.reasoning_tokens},
                "total_tokens": answer.input_tokens + answer.output_tokens,
            },
        }

    def error(self, fault: Fault, message: str | None, request_id: str) -> dict[str, Any]:
        """Return the body of an error."""
        return openai_error(fault, message)

    def error_event(self, fault: Fault, request_id: str) -> bytes:
        """Return an error inside a stream: its fields are the event's own."""
        event = {
            "type": "error",
            "code": fault.openai_code or fault.openai_type,
            "message": fault.openai_message or fault.message,
            "param": None,
            "sequence_number": 1_000_000,
        }
        return sse(event, "error")

    def ping(self) -> bytes:
        """Return a comment: the protocol has no ping."""
        return b": keep-alive\n\n"

    def _output(self, answer: Answer) -> list[dict[str, Any]]:
        output: list[dict[str, Any]] = []
        if answer.reasoning:
            output.append(
                {
                    "type": "reasoning",
                    "id": f"rs_{answer.id}",
                    "summary": [{"type": "summary_text", "text": answer.reasoning}],
                    "encrypted_content": f"sealed-{answer.id}",
                }
            )
        if answer.text:
            content = [{"type": "output_text", "text": answer.text, "annotations": []}]
            output.append(
                {
                    "type": "message",
                    "id": f"msg_{answer.id}",
                    "role": "assistant",
                    "status": "completed",
                    "content": content,
                }
            )
        output += (
            {
                "type": "function_call",
                "id": item_id,
                "call_id": call_id,
                "name": use.tool,
                "arguments": use.arguments,
                "status": "completed",
            }
            for item_id, call_id, use in zip(
                answer.call_ids("fc"), answer.call_ids("call"), answer.calls, strict=True
            )
        )
        return output


def _role_of(item: Mapping[str, Any]) -> str:
    return _CALL_ROLES.get(str(item.get("type"))) or str(item.get("role"))


def _empty(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item as in its `added` event: without content."""
    fields: dict[str, Any] = {
        "summary": [],
        "content": [],
        "arguments": "",
        "encrypted_content": None,
    }
    return item | {name: value for name, value in fields.items() if name in item}


def openai_error(fault: Fault, message: str | None = None) -> dict[str, Any]:
    """Return an error in the form of both of OpenAI's protocols."""
    return {
        "error": {
            "message": message or fault.openai_message or fault.message,
            "type": fault.openai_type,
            "param": None,
            "code": fault.openai_code,
        }
    }
