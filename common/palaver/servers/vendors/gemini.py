"""Facts about Google's Gemini service."""

from __future__ import annotations

from palaver.servers.facts import (
    Codes,
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

_OVERFLOW = Source("github.com/badlogic/pi-mono packages/ai/src/utils/overflow.ts", "a2dbd625")
_USERS = reported("by users of it, as a sentence only")
_GEMINI_ERRORS = Source("https://ai.google.dev/gemini-api/docs/generate-content/api-errors")
_GEMINI_BUSY = Source("https://github.com/google-gemini/gemini-cli/issues/7227", "2025-08")
_GEMINI_LIST = Source("https://github.com/google-gemini/gemini-cli/issues/6454", "2025-08")
_GEMINI_WORDS = Source(
    "https://cloud.google.com/dotnet/docs/reference/Google.Cloud.AIPlatform.V1/2.23.0/"
    "Google.Cloud.AIPlatform.V1.Candidate.Types.FinishReason",
    "2.23.0",
)

_GEMINI_PICTURES = Source(
    "https://cloud.google.com/distributed-cloud/hosted/docs/latest/gdch/gemini/capabilities/image"
)

GEMINI = Server(
    name="Gemini",
    slug="gemini",
    place="vendor",
    base_url="https://generativelanguage.googleapis.com/v1beta/openai",
    key="GEMINI_API_KEY",
    marks=(Mark("host", "generativelanguage.googleapis.com", _GEMINI_ERRORS),),
    wants=(Want("vision", True, _GEMINI_PICTURES),),
    sends=Sends(source=reported("by users of its compatible endpoint"), usage="with the finish"),
    frame="list",
    says=(
        Says(
            topic="context",
            pattern=r"token count[^.]{0,40}exceeds the (?:maximum|limit)",
            said="The input token count (1196265) exceeds the maximum number of tokens allowed "
            "(1048575).",
            source=_OVERFLOW,
            status=400,
            type="INVALID_ARGUMENT",
        ),
        Says(
            topic="overloaded",
            said="The model is overloaded. Please try again later.",
            source=_GEMINI_BUSY,
            status=503,
            type="UNAVAILABLE",
        ),
        Says(
            topic="rate",
            said="You exceeded your current quota, please check your plan and billing details. "
            "Please retry in 3.07s.",
            source=reported("by users of it"),
            status=429,
            type="RESOURCE_EXHAUSTED",
        ),
        Says(
            topic="auth",
            pattern=r"api[ -_]?key (?:is |was )?(?:not valid|invalid|expired|missing|not found"
            r"|revoked)",
            said="API key not valid. Please pass a valid API key.",
            source=_USERS,
            status=400,
            type="INVALID_ARGUMENT",
        ),
        Says(
            topic="model",
            said="models/gemini-9 is not found for API version v1beta, or is not supported for "
            "generateContent.",
            pattern=r"models/\S+ is not found",
            source=reported("by users of it"),
            status=404,
            type="NOT_FOUND",
        ),
    ),
    codes=(Codes("timeout", ("deadline_exceeded",), _GEMINI_ERRORS),),
    words=(
        Words(
            source=_GEMINI_WORDS,
            whole=("stop",),
            cut=("length", "max_tokens"),
            filtered=("content_filter", "safety", "recitation"),
        ),
        Words(
            source=reported("FinishReason of the Gemini API"),
            filtered=("blocklist", "prohibited_content", "spii", "language", "image_safety"),
            given_up=("malformed_function_call",),
        ),
    ),
    notes=(
        Note("Errors come as a list of one.", _GEMINI_LIST),
        Note(
            "A limit per minute speaks of quota; where it asks for a wait, Palaver waits.",
            _GEMINI_ERRORS,
        ),
    ),
)
