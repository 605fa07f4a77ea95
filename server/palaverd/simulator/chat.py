"""OpenAI Chat Completions, as its documentation and its SDK describe it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from palaverd.simulator.faults import Fault
from palaverd.simulator.prompt import Answer, BadRequestError, Prompt, text_of
from palaverd.simulator.responses import openai_error
from palaverd.simulator.wire import Frame, Kind, pieces, sse

_FINISH = {"stop": "stop", "length": "length", "tool": "tool_calls", "filter": "content_filter"}


class ChatWire:
    """`POST /v1/chat/completions`."""

    path = "/v1/chat/completions"
    request_id_header = "x-request-id"

    def read(self, body: Mapping[str, Any]) -> Prompt:
        """Read a request; see `Wire.read`."""
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
        """Yield the chunks of a streamed answer, then the marker."""

        def chunk(
            delta: dict[str, Any], kind: Kind = "structure", finish: str | None = None
        ) -> Frame:
            choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
            return Frame(sse(self._head(answer, "chat.completion.chunk", [choice])), kind)

        yield chunk({"role": "assistant", "content": ""})
        for piece in pieces(answer.reasoning):
            yield chunk({"reasoning_content": piece}, "word")
        for piece in pieces(answer.text):
            yield chunk({"content": piece}, "word")
        if answer.tool:
            function = {"name": answer.tool, "arguments": ""}
            head: dict[str, Any] = {"index": 0, "id": f"call_{answer.id}", "type": "function"}
            yield chunk({"tool_calls": [head | {"function": function}]})
            for cut in answer.cuts:
                more = {"arguments": cut}
                yield chunk({"tool_calls": [{"index": 0, "function": more}]}, "arguments")
        yield chunk({}, finish=_FINISH[answer.finish])
        if prompt.include_usage:
            last = self._head(answer, "chat.completion.chunk", [])
            yield Frame(sse(last | {"usage": self._usage(answer)}))
        yield Frame(b"data: [DONE]\n\n", "terminal")

    def whole(self, answer: Answer) -> dict[str, Any]:
        """Return the body of an answer that is not streamed."""
        message: dict[str, Any] = {"role": "assistant", "content": answer.text or None}
        if answer.reasoning:
            message["reasoning_content"] = answer.reasoning
        if answer.tool:
            function = {"name": answer.tool, "arguments": answer.arguments}
            message["tool_calls"] = [
                {"id": f"call_{answer.id}", "type": "function", "function": function}
            ]
        choice = {"index": 0, "message": message, "finish_reason": _FINISH[answer.finish]}
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

    def _head(self, answer: Answer, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{answer.id}",
            "object": kind,
            "created": 1735689600,
            "model": answer.model,
            "choices": choices,
        }

    def _usage(self, answer: Answer) -> dict[str, Any]:
        return {
            "prompt_tokens": answer.input_tokens,
            "completion_tokens": answer.output_tokens,
            "total_tokens": answer.input_tokens + answer.output_tokens,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": answer.reasoning_tokens},
        }
