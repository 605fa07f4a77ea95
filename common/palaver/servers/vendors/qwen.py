"""Facts about Alibaba's Qwen service."""

from __future__ import annotations

from palaver.servers.facts import (
    Codes,
    Mark,
    Says,
    Sends,
    Server,
    Source,
    Want,
    Words,
    reported,
)

_USERS = reported("by users of it, as a sentence only")
_QWEN_ERRORS = Source("https://help.aliyun.com/en/model-studio/error-code")
_QWEN_CODES = Source("https://help.aliyun.com/en/model-studio/error-code-start")
_QWEN_FILTER = Source("https://github.com/camel-ai/owl/issues/432", "2025-03")
_QWEN_WANTS = Source("https://github.com/apmantza/pi-free/pull/45", "2026-04")

QWEN = Server(
    name="Qwen",
    slug="qwen",
    place="vendor",
    base_url="https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
    key="DASHSCOPE_API_KEY",
    marks=(Mark("host", "dashscope*.aliyuncs.com", _QWEN_ERRORS),),
    wants=(
        Want("limit_parameter", "max_tokens", _QWEN_WANTS),
        Want("system_role", "system", _QWEN_WANTS),
    ),
    sends=Sends(
        source=reported("by users of it"),
        reasoning="reasoning_content",
        cached="prompt_tokens_details",
    ),
    says=(
        Says(
            topic="context",
            pattern=r"range of input length should be",
            said="<400> InternalError.Algo.InvalidParameter: Range of input length should be "
            "[1, 98304]",
            source=_QWEN_ERRORS,
            status=400,
            type="invalid_request_error",
            code="invalid_parameter_error",
        ),
        Says(
            topic="output",
            pattern=r"range of max_(?:completion_)?tokens should be",
            said="Range of max_tokens should be [1, 8192]",
            source=_USERS,
            status=400,
            type="invalid_request_error",
            code="invalid_parameter_error",
        ),
        Says(
            topic="quota",
            pattern=r"make sure your account is in good standing",
            said="Access denied, please make sure your account is in good standing.",
            source=_QWEN_ERRORS,
            status=400,
            type="Arrearage",
            code="Arrearage",
        ),
        Says(
            topic="filter",
            pattern=r"inappropriate content|data_?inspection_?failed",
            said="Input data may contain inappropriate content.",
            source=_QWEN_FILTER,
            status=400,
            type="data_inspection_failed",
            code="data_inspection_failed",
        ),
        Says(
            topic="auth",
            said="Incorrect API key provided.",
            source=_QWEN_CODES,
            status=401,
            type="invalid_request_error",
            code="invalid_api_key",
        ),
        Says(
            topic="rate",
            said="Requests rate limit exceeded, please try again later.",
            source=_QWEN_CODES,
            status=429,
            type="Throttling.RateQuota",
            code="Throttling.RateQuota",
        ),
        Says(
            topic="model",
            said="The model `qwen-9` does not exist or you do not have access to it.",
            source=reported("by users of it"),
            status=404,
            type="invalid_request_error",
            code="model_not_found",
        ),
    ),
    codes=(
        Codes("quota", ("arrearage",), _QWEN_ERRORS),
        Codes("filter", ("data_inspection_failed", "datainspectionfailed"), _QWEN_FILTER),
        Codes("rate", ("throttling", "throttling.ratequota"), _QWEN_CODES),
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
