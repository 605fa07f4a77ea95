"""Servers that users run on their own machines."""

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

_LLAMA = Source("seen with llama-server", "b10434, b11434")
_LLAMA_PYTHON = Source("seen with llama-cpp-python's own server", "0.3.36")
_TRANSFORMERS = Source("seen with transformers serve", "5.24.0")
_TRANSFORMERS_DOC = Source("https://huggingface.co/docs/transformers/v5.13.1/serve-cli/serving")
_VLLM_REASONING = Source(
    "https://docs.vllm.ai/en/v0.26.0/features/reasoning_outputs/", "0.10 to 0.26"
)
_VLLM_FULL = Source("https://github.com/vllm-project/vllm/pull/33425", "0.15")
_VLLM_BARE = Source("https://github.com/ogx-ai/ogx/issues/4534", "2025-02")
_VLLM_OUTPUT = Source("https://github.com/stepfun-ai/Step-Audio-R1/issues/3", "2025-12")
_OLLAMA_DOC = Source("https://huggingface.co/spaces/oldg9516X/ollama/blob/main/docs/openai.md")
_OLLAMA_RUNNER = Source("https://github.com/ollama/ollama/issues/14093", "0.15.2")
_OLLAMA_MODEL = Source("https://github.com/ollama/ollama/issues/15027", "0.18.2")
_OLLAMA_CONTEXT = Source("https://docs.openclaw.ai/providers/ollama/advanced.md")
_LM_DOC = Source("https://docs.openclaw.ai/providers/lmstudio")
_LM_API = Source(
    "https://docs.rs/vtcode-core/0.125.0/vtcode_core/llm/providers/lmstudio/", "0.3.6, 0.3.9"
)
_LM_FULL = Source("https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/546", "0.3.13")
_LM_KEEP = Source("https://github.com/tinyhumansai/openhuman/issues/3550", "2026-06")
_LM_WORDS = reported("LLMPredictionStopReason of lmstudio-js")
_USERS = reported("by users of it, as a sentence only")

OLLAMA = Server(
    name="Ollama",
    slug="ollama",
    place="home",
    base_url="http://127.0.0.1:11434/v1",
    marks=(
        Mark("port", "11434", _OLLAMA_DOC),
        Mark("path", "/api/version version", reported("by users of it")),
    ),
    sends=Sends(source=reported("by users of it"), reasoning="reasoning"),
    says=(
        Says(
            topic="model",
            said='model "llama9" not found, try pulling it first',
            source=_OLLAMA_MODEL,
            status=404,
            type="api_error",
        ),
        Says(
            topic="overloaded",
            said="server busy, please try again.  maximum pending requests exceeded",
            source=_USERS,
            status=503,
            type="api_error",
        ),
        Says(
            topic="server",
            pattern=r"(?:model|llama) runner\b[^.]{0,60}"
            r"(?:stopped|terminated|no longer running|crashed)",
            said="model runner has unexpectedly stopped, this may be due to resource limitations "
            "or an internal error, check ollama server logs for details",
            source=_OLLAMA_RUNNER,
            status=500,
            type="api_error",
        ),
        Says(
            topic="context",
            pattern=r"exceed[^.]{0,60}context (?:length|window|size|limit)",
            said="prompt too long; exceeded max context length by 12 tokens",
            source=reported("by users of it"),
            status=400,
            type="invalid_request_error",
        ),
    ),
    words=(
        Words(
            source=reported("done_reason of a model that is taken out of memory"),
            whole=("stop",),
            cut=("length",),
            given_up=("unload",),
        ),
    ),
    notes=(
        Note(
            "A prompt longer than the model's context is cut without a word. The context is "
            "4,096 tokens unless OLLAMA_CONTEXT_LENGTH says more.",
            _OLLAMA_CONTEXT,
        ),
    ),
)

LLAMA_CPP = Server(
    name="llama.cpp",
    slug="llama.cpp",
    place="home",
    base_url="http://127.0.0.1:8080/v1",
    marks=(
        Mark("port", "8080", _LLAMA),
        Mark("owner", "llamacpp", _LLAMA),
        Mark("path", "/props default_generation_settings", _LLAMA),
        Mark("header", "server: llama.cpp", _LLAMA),
    ),
    sends=Sends(
        source=_LLAMA,
        reasoning="reasoning_content",
        cached="prompt_tokens_details",
        opens="null",
        timings=True,
    ),
    says=(
        Says(
            topic="loading",
            pattern=r"(?<!error )(?<!failed )\bloading (?:the )?model\b",
            said="Loading model",
            source=_LLAMA,
            status=503,
            type="unavailable_error",
            code=503,
        ),
        Says(
            topic="context",
            said="request (12116 tokens) exceeds the available context size (4096 tokens), try "
            "increasing it",
            source=_LLAMA,
            status=400,
            type="exceed_context_size_error",
            code=400,
        ),
        Says(
            topic="pool",
            pattern=r"^\s*context size has been exceeded\.?\s*$",
            said="Context size has been exceeded.",
            source=_LLAMA,
            status=500,
            type="server_error",
            code=500,
        ),
        Says(
            topic="auth",
            said="Invalid API Key",
            source=_LLAMA,
            status=401,
            type="authentication_error",
            code=401,
        ),
        Says(topic="model", pattern=r"no such model", said="no such model", source=_USERS),
        Says(
            topic="server",
            pattern=r"out of memory|\bcuda error\b|failed to (?:decode|allocate)"
            r"|internal (?:server )?error",
            said="CUDA out of memory. Tried to allocate 2.00 GiB.",
            source=_USERS,
        ),
    ),
    codes=(
        Codes("context", ("exceed_context_size_error",), _LLAMA),
        Codes("loading", ("model_loading", "model_is_loading"), _USERS),
    ),
    words=(
        Words(source=_LLAMA, whole=("stop",), cut=("length",), calls=("tool_calls",)),
        Words(source=reported("of versions before 2024"), whole=("eos",), cut=("limit",)),
    ),
    notes=(
        Note("While a request waits for a slot no byte is sent, not even the head.", _LLAMA),
        Note(
            "Tools are dropped without a word where the model's template knows none; "
            "`chat_template_caps` in GET /props says so.",
            _LLAMA,
        ),
        Note("One model is served under any name: a wrong one is not noticed.", _LLAMA),
        Note("With -kvu the slots share one context: two long answers may fill it.", _LLAMA),
    ),
)

VLLM = Server(
    name="vLLM",
    slug="vllm",
    place="home",
    base_url="http://127.0.0.1:8000/v1",
    marks=(
        Mark("port", "8000", Source("https://github.com/vllm-project/vllm/pull/33425")),
        Mark("owner", "vllm", reported("owned_by in its list of models")),
    ),
    sends=Sends(source=_VLLM_REASONING, reasoning="reasoning", cached="prompt_tokens_details"),
    says=(
        Says(
            topic="context",
            pattern=r"maximum context length|max(?:imum)? (?:model|sequence) len(?:gth)?\b",
            said="This model's maximum context length is 2048 tokens. However, your request has "
            "9000 input tokens. Please reduce the length of the input messages.",
            source=_VLLM_FULL,
            status=400,
            type="BadRequestError",
            code=400,
        ),
        Says(
            topic="output",
            pattern=r"max(?:_completion)?_tokens'? (?:or 'max_completion_tokens' )?"
            r"is too (?:large|big)",
            said="'max_tokens' or 'max_completion_tokens' is too large: 32000. This model's "
            "maximum context length is 8192 tokens and your request has 13 input tokens "
            "(32000 > 8192 - 13).",
            source=_VLLM_OUTPUT,
            status=400,
            type="BadRequestError",
            code=400,
        ),
        Says(
            topic="model",
            said="The model `m` does not exist.",
            source=reported("by users of it"),
            status=404,
            type="NotFoundError",
            code=404,
        ),
        Says(
            topic="auth",
            said="Unauthorized",
            source=reported("by users of it"),
            status=401,
        ),
        Says(
            topic="server",
            pattern=r"\benginedeaderror\b|\benginecore\b[^.]{0,80}(?:issue|died|dead)"
            r"|engine (?:is |has )?d(?:ead|ied)",
            said="EngineCore encountered an issue. See stack trace (above) for the root cause.",
            source=_USERS,
            status=500,
            type="InternalServerError",
            code=500,
        ),
    ),
    words=(
        Words(
            source=reported("by users of it"),
            whole=("stop",),
            cut=("length",),
            calls=("tool_calls",),
        ),
        Words(source=reported("FinishReason of vLLM"), given_up=("error", "abort")),
    ),
    notes=(
        Note(
            "The reasoning field was called reasoning_content before 0.11; both are read.",
            _VLLM_REASONING,
        ),
        Note("Errors of older versions have no frame around them.", _VLLM_BARE),
    ),
)

LM_STUDIO = Server(
    name="LM Studio",
    slug="lm-studio",
    place="home",
    base_url="http://127.0.0.1:1234/v1",
    marks=(
        Mark("port", "1234", _LM_DOC),
        Mark("path", "/api/v0/models data", _LM_API),
    ),
    sends=Sends(source=_LM_API, reasoning="reasoning_content"),
    frame="string",
    says=(
        Says(
            topic="context",
            pattern=r"context length of only \d+ tokens|when context the overflows"
            r"|tokens to keep from the initial prompt is greater than the context length",
            said="Trying to keep the first 111490 tokens when context the overflows. However, the "
            "model is loaded with context length of only 32768 tokens, which is not enough. Try "
            "to load the model with a larger context length, or provide a shorter input.",
            source=_LM_FULL,
            status=400,
        ),
        Says(
            topic="server",
            pattern=r"model (?:has )?(?:crashed|unloaded)|channel error",
            said="The model has crashed without additional information. (Exit code: 6)",
            source=_USERS,
            status=500,
        ),
    ),
    words=(
        Words(
            source=reported("by users of it"),
            whole=("stop",),
            cut=("length",),
            calls=("tool_calls",),
        ),
        Words(
            source=_LM_WORDS,
            whole=("eosfound", "stopstringfound"),
            cut=("maxpredictedtokensreached", "contextlengthreached"),
            calls=("toolcalls",),
            given_up=("failed", "userstopped", "modelunloaded"),
        ),
    ),
    notes=(
        Note(
            "A model that is not loaded is loaded by the first request, where JIT is on.", _LM_DOC
        ),
        Note("The context is what the model was loaded with, often less than it can.", _LM_KEEP),
    ),
)

TRANSFORMERS = Server(
    name="transformers serve",
    slug="transformers",
    place="home",
    base_url="http://127.0.0.1:8000/v1",
    marks=(Mark("port", "8000", _TRANSFORMERS_DOC),),
    sends=Sends(
        source=_TRANSFORMERS,
        reasoning="reasoning_content",
        usage="with the finish",
        done=False,
        opens="none",
    ),
    frame="detail",
    says=(
        Says(
            topic="model",
            said="Server is pinned to 'toy'; requested 'no-such-model'.",
            pattern=r"server is pinned to\b",
            source=_TRANSFORMERS,
            status=400,
        ),
    ),
    words=(Words(source=_TRANSFORMERS, whole=("stop",), cut=("length",)),),
    notes=(
        Note("An answer ends without `[DONE]`: the finish word is its end.", _TRANSFORMERS),
        Note("A model is loaded by the first request that names it.", _TRANSFORMERS_DOC),
    ),
)

LLAMA_CPP_PYTHON = Server(
    name="llama-cpp-python",
    slug="llama-cpp-python",
    place="home",
    base_url="http://127.0.0.1:8000/v1",
    marks=(Mark("port", "8000", reported("in its documentation")),),
    sends=Sends(source=_LLAMA_PYTHON, usage="never", opens="none"),
    frame="detail",
    says=(Says(topic="auth", said="Invalid API key", source=_LLAMA_PYTHON, status=401),),
    words=(Words(source=_LLAMA_PYTHON, whole=("stop",), cut=("length",)),),
    notes=(
        Note("A stream has no counts of tokens, asked for or not.", _LLAMA_PYTHON),
        Note("Thoughts and calls of tools stand in the text, with their marks.", _LLAMA_PYTHON),
        Note("A prompt that is too long gets an empty stream, with status 200.", _LLAMA_PYTHON),
    ),
)

SGLANG = Server(
    name="SGLang",
    slug="sglang",
    place="home",
    base_url="http://127.0.0.1:30000/v1",
    marks=(Mark("owner", "sglang", reported("owned_by in its list of models")),),
    says=(
        Says(
            topic="context",
            pattern=r"longer than the model's context (?:length|window)",
            said="The input (9999 tokens) is longer than the model's context length (8192 tokens).",
            source=Source(
                "github.com/badlogic/pi-mono packages/ai/src/utils/overflow.ts", "2026, reported"
            ),
            status=400,
            type="BadRequestError",
            code=400,
        ),
    ),
    words=(Words(source=reported("its own protocol"), whole=("stop",), given_up=("abort",)),),
)

TGI = Server(
    name="Text Generation Inference",
    slug="tgi",
    place="home",
    says=(
        Says(
            topic="loading",
            pattern=r"\bmodel\b[^.]{0,80}\bis (?:currently |still |being )*"
            r"load(?:ing|ed\b(?! with))",
            said="Model bigscience/bloom is currently loading",
            source=reported("by users of Hugging Face's endpoints"),
            status=503,
        ),
        Says(
            topic="context",
            pattern=r"`?inputs`? tokens \+ `?max_new_tokens`? must be"
            r"|`?inputs`? must have less than \d+ tokens",
            said="Input validation error: `inputs` tokens + `max_new_tokens` must be <= 32768. "
            "Given: 71508 `inputs` tokens and 0 `max_new_tokens`",
            source=Source(
                "https://www.huggingface.co/spaces/agents-course/Unit_3_Agentic_RAG/discussions/2"
            ),
            status=422,
        ),
    ),
    frame="string",
    words=(
        Words(
            source=reported("its own protocol"),
            whole=("eos_token", "stop_sequence"),
            cut=("length",),
        ),
    ),
)

LLAMA_SWAP = Server(
    name="llama-swap, TabbyAPI",
    slug="llama-swap",
    place="home",
    says=(
        Says(
            topic="loading",
            pattern=r"\b(?:still|currently) loading\b|\bis warming up\b|\bmodel is not ready\b",
            said="The server is still loading, please wait",
            source=_USERS,
            status=503,
        ),
    ),
)

# In the order in which they are offered.
HOME = (
    OLLAMA,
    LLAMA_CPP,
    VLLM,
    LM_STUDIO,
    TRANSFORMERS,
    LLAMA_CPP_PYTHON,
    SGLANG,
    TGI,
    LLAMA_SWAP,
)
