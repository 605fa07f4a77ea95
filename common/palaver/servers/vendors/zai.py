"""Facts about z.ai's own service."""

from __future__ import annotations

from palaver.servers.facts import (
    Codes,
    Mark,
    Note,
    Says,
    Sends,
    Server,
    Source,
    Words,
    reported,
)

_OVERFLOW = Source("github.com/badlogic/pi-mono packages/ai/src/utils/overflow.ts", "a2dbd625")
_ZAI_ERRORS = Source("https://docs.z.ai/api-reference/api-code")
_ZAI_CREDIT = Source("https://github.com/zai-org/GLM-5/issues/49", "2026")

ZAI = Server(
    name="z.ai",
    slug="z.ai",
    place="vendor",
    base_url="https://api.z.ai/api/paas/v4",
    key="ZAI_API_KEY",
    marks=(
        Mark("host", "api.z.ai", _ZAI_CREDIT),
        Mark("host", "open.bigmodel.cn", reported("by users of Zhipu")),
    ),
    sends=Sends(
        source=reported("by users of it"),
        reasoning="reasoning_content",
        usage="with the finish",
        cached="prompt_tokens_details",
    ),
    says=(
        Says(
            topic="context",
            pattern=r"prompt exceeds (?:the )?max(?:imum)? (?:input )?length|prompt 超长",
            said="Prompt exceeds max length",
            source=reported("by users of it"),
            status=400,
            code="1261",
        ),
        Says(
            topic="quota",
            said="Insufficient balance or no resource package. Please recharge.",
            source=_ZAI_CREDIT,
            status=429,
            code="1113",
        ),
        Says(
            topic="rate",
            said="High concurrency usage of this API, please reduce concurrency",
            source=_ZAI_ERRORS,
            status=429,
            code="1302",
        ),
        Says(
            topic="model",
            said="Model does not exist, please check the model code",
            source=_ZAI_ERRORS,
            status=400,
            code="1211",
        ),
        Says(
            topic="filter",
            said="System detected potentially unsafe or sensitive content in input or generation.",
            source=_ZAI_ERRORS,
            status=400,
            code="1301",
        ),
    ),
    codes=(
        Codes("quota", ("1113",), _ZAI_CREDIT),
        Codes("context", ("1261",), reported("by users of it")),
        Codes("filter", ("1301",), _ZAI_ERRORS),
        Codes("model", ("1211",), _ZAI_ERRORS),
        Codes("rate", ("1302",), _ZAI_ERRORS),
        Codes("rate", ("1303", "1305"), reported("by users of it")),
    ),
    words=(
        Words(
            source=reported("in its reference of chat completions"),
            whole=("stop",),
            cut=("length", "model_context_window_exceeded"),
            filtered=("sensitive",),
            calls=("tool_calls",),
            given_up=("network_error",),
        ),
    ),
    notes=(Note("Too long a prompt is sometimes taken without a word.", _OVERFLOW),),
)
