"""Error messages and codes of further vendors."""

from __future__ import annotations

from palaver.servers.facts import (
    Mark,
    Says,
    Server,
    Words,
    reported,
)

_USERS = reported("by users of it, as a sentence only")

COHERE = Server(
    name="Cohere",
    slug="cohere",
    place="vendor",
    says=(
        Says(
            topic="context",
            pattern=r"too many (?:input )?tokens(?: in (?:the )?prompt|: total number of tokens)",
            said="too many tokens: total number of tokens in the prompt cannot exceed 4081",
            source=_USERS,
            status=400,
        ),
    ),
    words=(
        Words(
            source=reported("finish reasons of its Chat"),
            whole=("complete", "stop_sequence"),
            cut=("max_tokens", "error_limit"),
            filtered=("error_toxic",),
            calls=("tool_call",),
            given_up=("error", "timeout", "user_cancel"),
        ),
    ),
)

WATSONX = Server(
    name="watsonx",
    slug="watsonx",
    place="vendor",
    words=(
        Words(
            source=reported("stop reasons of its text generation"),
            whole=("eos_token",),
            cut=("max_tokens", "token_limit", "time_limit"),
            given_up=("cancelled", "error"),
        ),
    ),
)

QIANFAN = Server(
    name="Baidu Qianfan",
    slug="qianfan",
    place="vendor",
    words=(Words(source=reported("finish reasons of its chat"), whole=("normal",)),),
)

FIREWORKS = Server(
    name="Fireworks",
    slug="fireworks",
    place="vendor",
    marks=(Mark("host", "api.fireworks.ai", reported("by users of it")),),
    says=(
        Says(
            topic="context",
            said="The prompt is too long: 140000, model maximum context length: 131072",
            source=_USERS,
            status=400,
            type="invalid_request_error",
        ),
    ),
)
