"""Facts about Mistral's own service."""

from __future__ import annotations

from palaver.servers.facts import (
    Mark,
    Note,
    Says,
    Sends,
    Server,
    Source,
    Want,
    Words,
    reported,
)

_MISTRAL_EXTRA = Source("https://github.com/avante-corp/avante.nvim/issues/2347", "2025-06")
_MISTRAL_LIMIT = Source("https://github.com/editor-code-assistant/eca/issues/231", "2025-12")
_MISTRAL_REASONING = Source("https://github.com/charmbracelet/crush/issues/1590", "2025-12")
_MISTRAL_FULL = Source("https://portkey.ai/error-library/context-length-exceeded-error-13710000")
_MISTRAL_WORDS = Source(
    "https://docs.rs/crate/mistral-openapi-client/latest/source/src/models/"
    "chat_completion_choice.rs",
    "0.1.0",
)

MISTRAL = Server(
    name="Mistral",
    slug="mistral",
    place="vendor",
    base_url="https://api.mistral.ai/v1",
    key="MISTRAL_API_KEY",
    marks=(Mark("host", "api.mistral.ai", _MISTRAL_EXTRA),),
    wants=(
        Want("stream_options", False, _MISTRAL_EXTRA),
        Want("limit_parameter", "max_tokens", _MISTRAL_LIMIT),
        Want("reasoning", "left out", _MISTRAL_REASONING),
    ),
    sends=Sends(
        source=reported("by users of its reasoning models"),
        reasoning="parts",
        usage="with the finish",
    ),
    frame="bare",
    says=(
        Says(
            topic="context",
            said="Prompt contains 66385 tokens, too large for model with 32768 maximum context "
            "length",
            source=_MISTRAL_FULL,
            status=400,
            type="invalid_request_error",
            code="3051",
        ),
        Says(
            topic="config",
            pattern=r"extra inputs are not permitted",
            said="Extra inputs are not permitted",
            source=_MISTRAL_EXTRA,
            status=422,
            type="invalid_request_error",
        ),
    ),
    words=(
        Words(
            source=_MISTRAL_WORDS,
            whole=("stop",),
            cut=("length", "model_length"),
            calls=("tool_calls",),
            given_up=("error",),
        ),
    ),
    notes=(
        Note("What a reasoning model thinks comes as parts of the content.", _MISTRAL_WORDS),
        Note("Counts of tokens come without being asked for.", _MISTRAL_EXTRA),
    ),
)
