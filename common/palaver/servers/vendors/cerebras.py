"""Facts about Cerebras' own service."""

from __future__ import annotations

from palaver.servers.facts import (
    Mark,
    Says,
    Sends,
    Server,
    Source,
    Want,
    Words,
    reported,
)

_CEREBRAS_FULL = Source("https://github.com/cline/cline/issues/5140", "2025-07")
_CEREBRAS_LIMIT = Source(
    "https://kestra.io/plugins/plugin-cerebras/io.kestra.plugin.cerebras.chatcompletion"
)

CEREBRAS = Server(
    name="Cerebras",
    slug="cerebras",
    place="vendor",
    base_url="https://api.cerebras.ai/v1",
    key="CEREBRAS_API_KEY",
    marks=(Mark("host", "api.cerebras.ai", reported("by users of it")),),
    wants=(Want("limit_parameter", "max_completion_tokens", _CEREBRAS_LIMIT),),
    sends=Sends(source=reported("by users of it"), reasoning="reasoning", usage="with the finish"),
    frame="bare",
    says=(
        Says(
            topic="context",
            said="Please reduce the length of the messages or completion. Current length is 42328 "
            "while limit is 40000",
            source=_CEREBRAS_FULL,
            status=400,
            type="invalid_request_error",
            code="context_length_exceeded",
        ),
    ),
    words=(
        Words(
            source=reported("by users of it"),
            whole=("stop",),
            cut=("length",),
            calls=("tool_calls",),
        ),
    ),
)
