"""OpenAI's Chat Completions API, as its documentation and its SDK describe it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from palaverd.simulator.faults import Fault
from palaverd.simulator.pairing import check_tool_messages
from palaverd.simulator.prompt import Answer, BadRequestError, Prompt, text_of
from palaverd.simulator.responses import openai_error
from palaverd.simulator.wire import Frame, Kind, pieces, sse

FINISH = {"stop": "stop", "length": "length", "tool": "tool_calls", "filter": "content_filter"}


MARKER = Frame(b"data: [DONE]\n\n", "terminal")


class ChatWire:
    """`POST /v1/chat/completions`."""

    path = "/v1/chat/completions"
    request_id_header = "x-request-id"

    def read(self, body: Mapping[str, Any]) -> Prompt:
        """Parse a request; see `Wire.read`."""
        model, messages = body.get("model"), body.get("messages")
        if not isinstance(model, str):
            raise BadRequestError("you must provide a model parameter")
        if not isinstance(messages, list) or not messages:
            raise BadRequestError("Missing required parameter: 'messages'.")
        texts = [
            (str(message.get("role")), text_of(message.get("content")))
            for message in messages
            if isinstance(message, dict)
        ]
        check_tool_messages(messages)
        options = body.get("stream_options")
        most = body.get("max_completion_tokens") or body.get("max_tokens")
        return Prompt(
            model=model,
            texts=[(role, text) for role, text in texts if role not in ("system", "developer")],
            system="\n".join(text for role, text in texts if role in ("system", "developer")),
            stream=body.get("stream") is True,
            max_tokens=most if isinstance(most, int) else None,
            reasoning=bool(body.get("reasoning_effort")),
            include_usage=isinstance(options, dict) and options.get("include_usage") is True,
        )

    def frames(self, answer: Answer, prompt: Prompt) -> Iterator[Frame]:
        """Yield the chunks of a streamed answer, then the end marker."""
        role: dict[str, Any] = {"role": "assistant"}
        opening = self._opening()
        if opening is not None:
            yield self._chunk(answer, role | opening)
            role = {}
        for delta in self._words(answer):
            yield self._chunk(answer, delta | role, "word")
            role = {}
        yield from self._call(answer)
        yield from self._end(answer, prompt)

    def whole(self, answer: Answer) -> dict[str, Any]:
        """Return the body of an answer that is not streamed."""
        message: dict[str, Any] = {"role": "assistant", "content": answer.text or None}
        if answer.reasoning:
            message["reasoning_content"] = answer.reasoning
        if answer.calls:
            message["tool_calls"] = [
                {
                    "id": call_id,
                    "type": "function",
                    "function": {"name": use.tool, "arguments": use.arguments},
                }
                for call_id, use in zip(answer.call_ids("call"), answer.calls, strict=True)
            ]
        choice = {"index": 0, "message": message, "finish_reason": FINISH[answer.finish]}
        return self._head(answer, "chat.completion", [choice]) | {"usage": self._usage(answer)}

    def error(self, fault: Fault, message: str | None, request_id: str) -> Any:
        """Return the body of an error."""
        return openai_error(fault, message)

    def error_event(self, fault: Fault, request_id: str) -> bytes:
        """Return an error inside a stream."""
        return sse(openai_error(fault))

    def ping(self) -> bytes:
        """Return a comment: the protocol has no ping."""
        return b": keep-alive\n\n"

    def _opening(self) -> dict[str, Any] | None:
        """Return what the first chunk has beside the role; None if the first word has the role."""
        return {"content": ""}

    def _words(self, answer: Answer) -> Iterator[dict[str, Any]]:
        yield from (self._thought(piece) for piece in pieces(answer.reasoning))
        yield from ({"content": piece} for piece in pieces(answer.text))

    def _thought(self, piece: str) -> dict[str, Any]:
        return {"reasoning_content": piece}

    def _call(self, answer: Answer) -> Iterator[Frame]:
        """Yield the tool calls; the arguments of several grow in turn."""
        ids = answer.call_ids("call")
        for index, (call_id, use) in enumerate(zip(ids, answer.calls, strict=True)):
            function = {"name": use.tool, "arguments": ""}
            head: dict[str, Any] = {"index": index, "id": call_id, "type": "function"}
            yield self._chunk(answer, {"tool_calls": [head | {"function": function}]})
        for cuts in zip_longest(*(use.cuts for use in answer.calls)):
            for index, cut in enumerate(cuts):
                if cut is not None:
                    more = {"index": index, "function": {"arguments": cut}}
                    yield self._chunk(answer, {"tool_calls": [more]}, "arguments")

    def _end(self, answer: Answer, prompt: Prompt) -> Iterator[Frame]:
        """Yield the finish reason, the usage if requested, and the end marker."""
        yield self._chunk(answer, {}, finish=FINISH[answer.finish])
        if prompt.include_usage:
            yield self._counts_alone(answer)
        yield MARKER

    def _chunk(
        self,
        answer: Answer,
        delta: dict[str, Any],
        kind: Kind = "structure",
        finish: str | None = None,
        **more: Any,
    ) -> Frame:
        """Return one chunk; `more` are fields beside `choices`."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        head = self._head(answer, "chat.completion.chunk", [choice])
        return Frame(sse(head | more), kind)

    def _counts_alone(self, answer: Answer, **more: Any) -> Frame:
        """Return the chunk with the usage and without choices."""
        last = self._head(answer, "chat.completion.chunk", [])
        return Frame(sse(last | {"usage": self._usage(answer)} | more))

    def _head(self, answer: Answer, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{answer.id}",
            "object": kind,
            "created": 1735689600,
            "model": answer.model,
            "choices": choices,
        }

    def _usage(self, answer: Answer) -> dict[str, Any]:
        return self._totals(answer) | {
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": answer.reasoning_tokens},
        }

    def _totals(self, answer: Answer) -> dict[str, Any]:
        return {
            "prompt_tokens": answer.input_tokens,
            "completion_tokens": answer.output_tokens,
            "total_tokens": answer.input_tokens + answer.output_tokens,
        }
