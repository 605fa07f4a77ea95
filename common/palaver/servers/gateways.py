"""Gateways and clouds, which serve other vendors' models."""

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

_USERS = reported("by users of it, as a sentence only")
_OVERFLOW = Source("github.com/badlogic/pi-mono packages/ai/src/utils/overflow.ts", "a2dbd625")
_OPENROUTER = Source("https://openrouter.ai/docs/api/reference/errors-and-debugging")
_OPENROUTER_CREDIT = Source("https://github.com/can1357/oh-my-pi/issues/9569", "2026")

OPENROUTER = Server(
    name="OpenRouter",
    slug="openrouter",
    place="gateway",
    base_url="https://openrouter.ai/api/v1",
    key="OPENROUTER_API_KEY",
    marks=(Mark("host", "openrouter.ai", _OPENROUTER),),
    sends=Sends(
        source=reported("by users of it"),
        reasoning="reasoning",
        cached="prompt_tokens_details",
        ping=": OPENROUTER PROCESSING",
    ),
    says=(
        Says(
            topic="context",
            said="This endpoint's maximum context length is 131072 tokens. However, you requested "
            "about 140000 tokens.",
            source=_OVERFLOW,
            status=400,
            code=400,
        ),
        Says(
            topic="quota",
            pattern=r"requires more credits|can only afford \d",
            said="This request requires more credits, or fewer max_tokens. You requested up to "
            "65536 tokens, but can only afford 412.",
            source=_OPENROUTER_CREDIT,
            status=402,
            code=402,
        ),
        Says(
            topic="quota",
            pattern=r"\bkey limit exceeded",
            said="Key limit exceeded (monthly limit). Manage it using "
            "https://openrouter.ai/settings/keys",
            source=_USERS,
            status=403,
            code=403,
        ),
        Says(
            topic="filter",
            pattern=r"requires moderation|input was flagged",
            said="openai/gpt-5 requires moderation on OpenRouter. Your input was flagged for "
            '"harassment". No credits were charged.',
            source=_OPENROUTER,
            status=403,
            code=403,
        ),
        Says(
            topic="rate",
            said="Rate limit exceeded: free-models-per-min.",
            source=_OPENROUTER,
            status=429,
            code=429,
        ),
        Says(
            topic="auth",
            said="No auth credentials found",
            source=_OPENROUTER,
            status=401,
            code=401,
        ),
        Says(
            topic="policy",
            pattern=r"no endpoints (?:found|available)|no allowed providers",
            said="No endpoints found matching your data policy (Free model training).",
            source=_USERS,
            status=404,
            code=404,
        ),
        Says(
            topic="model",
            said="openai/gpt-9 is not a valid model ID",
            pattern=r"is not a valid model id",
            source=reported("by users of it"),
            status=400,
            code=400,
        ),
    ),
    codes=(Codes("quota", ("insufficient_credits", "payment_required"), _OPENROUTER),),
    words=(
        Words(
            source=_OPENROUTER,
            whole=("stop",),
            cut=("length",),
            filtered=("content_filter",),
            calls=("tool_calls",),
            given_up=("error",),
        ),
    ),
    notes=(
        Note(
            "An error while the model answers comes inside the stream, with status 200.",
            _OPENROUTER,
        ),
    ),
)

_LITELLM = Source("seen with LiteLLM's proxy", "1.83.0")

LITELLM = Server(
    name="LiteLLM",
    slug="litellm",
    place="gateway",
    base_url="http://127.0.0.1:4000/v1",
    marks=(
        Mark("port", "4000", reported("in its documentation")),
        Mark("header", "x-litellm-version:", _LITELLM),
    ),
    sends=Sends(
        source=_LITELLM,
        reasoning="reasoning_content",
        usage="own choice",
        cached="prompt_tokens_details",
        opens="at once",
    ),
    says=(
        Says(
            topic="model",
            said="{'error': '/chat/completions: Invalid model name passed in model=no-such-model. "
            "Call `/v1/models` to view available models for your key.'}",
            pattern=r"invalid model",
            source=_LITELLM,
            status=400,
            type="None",
            code="400",
        ),
        Says(
            topic="quota",
            pattern=r"budget has been exceeded|over budget\b",
            said="Budget has been exceeded! Current cost: 12.5, Max budget: 10.0",
            source=reported("by users of it"),
            status=400,
            type="budget_exceeded",
            code="400",
        ),
        Says(
            topic="auth",
            said="No connected db.",
            source=_LITELLM,
            status=400,
            type="no_db_connection",
            code="400",
        ),
    ),
    codes=(
        Codes("auth", ("no_db_connection",), _LITELLM),
        Codes("quota", ("budget_exceeded",), reported("by users of it")),
    ),
    words=(
        Words(
            source=reported("map_finish_reason of LiteLLM"),
            whole=("stop",),
            cut=("length",),
            filtered=("content_filter",),
            calls=("tool_calls",),
        ),
    ),
    notes=(
        Note("Its sentences wrap those of the server behind it.", _LITELLM),
        Note(
            "Without a database a wrong key is answered with `No connected db.`: it looks there "
            "for any key that is not its own.",
            _LITELLM,
        ),
    ),
)

_AZURE_FILTER = Source("https://github.com/microsoft/azurechat/issues/351", "2024-03")
_AZURE_ERRORS = Source("https://www.developersdigest.tech/errors/api/azure-openai")
_AZURE_INNER = Source(
    "https://raw.githubusercontent.com/api-evangelist/microsoft-azure/refs/heads/main/"
    "json-schema/microsoft-azure-innererrorcode-schema.json"
)

AZURE = Server(
    name="Azure OpenAI",
    slug="azure",
    place="gateway",
    key="AZURE_OPENAI_API_KEY",
    marks=(Mark("host", "*.openai.azure.com", reported("by users of it")),),
    wants=(
        Want(
            "limit_parameter",
            "max_completion_tokens",
            Source(
                "github.com/openai/openai-python src/openai/types/chat/completion_create_params.py",
                "3.52.0",
            ),
        ),
    ),
    says=(
        Says(
            topic="filter",
            said="The response was filtered due to the prompt triggering Azure OpenAI's content "
            "management policy. Please modify your prompt and retry.",
            source=_AZURE_FILTER,
            status=400,
            code="content_filter",
        ),
        Says(
            topic="model",
            said="The API deployment for this resource does not exist.",
            source=_USERS,
            status=404,
            code="DeploymentNotFound",
        ),
    ),
    codes=(
        Codes("filter", ("content_filter",), _AZURE_ERRORS),
        Codes("filter", ("responsible_ai_policy_violation",), _AZURE_INNER),
        Codes("model", ("deployment_not_found", "deploymentnotfound"), _USERS),
    ),
    words=(
        Words(
            source=_AZURE_ERRORS,
            whole=("stop",),
            cut=("length",),
            filtered=("content_filter",),
            calls=("tool_calls",),
        ),
    ),
)

_COPILOT = Source("https://github.com/microsoft/copilot-intellij-feedback/issues/94", "2025-04")

COPILOT = Server(
    name="GitHub Copilot",
    slug="copilot",
    place="gateway",
    marks=(
        Mark("host", "api.githubcopilot.com", _COPILOT),
        Mark("host", "api.*.githubcopilot.com", _COPILOT),
    ),
    sends=Sends(source=reported("by users of it"), reasoning="reasoning_text"),
    says=(
        Says(
            topic="context",
            pattern=r"prompt token count of \d+ exceeds the limit",
            said="prompt token count of 138898 exceeds the limit of 64000",
            source=_COPILOT,
            status=400,
            code="model_max_prompt_tokens_exceeded",
        ),
    ),
    codes=(Codes("context", ("model_max_prompt_tokens_exceeded",), _COPILOT),),
    words=(
        Words(
            source=reported("by users of it"),
            whole=("stop",),
            cut=("length",),
            calls=("tool_calls",),
        ),
    ),
)

GITHUB_MODELS = Server(
    name="GitHub Models",
    slug="github-models",
    place="gateway",
    base_url="https://models.github.ai/inference",
    key="GITHUB_TOKEN",
    marks=(Mark("host", "models.github.ai", reported("by users of it")),),
    says=(
        Says(
            topic="context",
            pattern=r"request body too large for \S+ model",
            said="Request body too large for gpt-4o model. Max size: 8000 tokens.",
            source=_USERS,
            status=413,
            code="tokens_limit_reached",
        ),
        Says(
            topic="auth",
            pattern=r"invalid (?:bearer|authentication|access) token",
            said="Invalid access token.",
            source=_USERS,
        ),
    ),
    codes=(Codes("context", ("tokens_limit_reached",), _USERS),),
)

_BEDROCK = Source(
    "https://docs.aws.amazon.com/de_de/bedrock/latest/APIReference/API_runtime_MessageStopEvent.html"
)

BEDROCK = Server(
    name="Amazon Bedrock",
    slug="bedrock",
    place="gateway",
    marks=(Mark("host", "bedrock*.*.amazonaws.com", reported("by users of it")),),
    says=(
        Says(
            topic="context",
            pattern=r"input is too long",
            said="Input is too long for requested model.",
            source=_OVERFLOW,
            status=400,
            type="ValidationException",
        ),
    ),
    words=(
        Words(
            source=_BEDROCK,
            whole=("end_turn", "stop_sequence"),
            cut=("max_tokens", "model_context_window_exceeded"),
            filtered=("content_filtered", "guardrail_intervened"),
            calls=("tool_use",),
            given_up=("malformed_model_output", "malformed_tool_use"),
        ),
    ),
)

GATEWAYS = (OPENROUTER, LITELLM, AZURE, COPILOT, GITHUB_MODELS, BEDROCK)
