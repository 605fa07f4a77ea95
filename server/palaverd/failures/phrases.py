"""What providers say about their failures in sentences, as one table with its sources.

A phrase is searched, in lower case, only where no type or code has already said what happened
(`names.SPECIFIC`). To teach a new one, add a row: `said` is the sentence as it was met, which a
test classifies.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

import msgspec

# What a phrase is about. `output`: the answer was allowed more tokens than the model can give;
# `pool`: the context that a server's slots share is full; `policy`: the account's own settings
# leave nobody who may answer; `model`: there is none of that name; `loading`: the model is being
# read into memory; `plain`: a server with TLS was asked without it, or the other way round.
Topic = Literal[
    "overloaded",
    "loading",
    "quota",
    "auth",
    "pool",
    "output",
    "context",
    "filter",
    "policy",
    "model",
    "config",
    "rate",
    "timeout",
    "server",
    "plain",
]


class Phrase(msgspec.Struct, frozen=True):
    """One row: what it is about, who says so, a pattern for lower-case text, and an example."""

    topic: Topic
    who: str
    pattern: str
    said: str


PHRASES: tuple[Phrase, ...] = (
    # --- busy -------------------------------------------------------------------------------
    Phrase(
        "overloaded",
        "Anthropic, OpenAI",
        r"\boverloaded\b",
        "The engine is currently overloaded, please try again later",
    ),
    Phrase("overloaded", "xAI", r"\b(?:over|at) capacity\b", "The model is at capacity."),
    Phrase("overloaded", "OpenAI", r"\bslow down\b", "Slow down"),
    Phrase(
        "overloaded",
        "OpenAI, Groq",
        r"\bservice (?:is )?(?:temporarily )?(?:too )?busy\b|\bserver (?:is )?busy\b",
        "Server busy, please try again later.",
    ),
    # --- loading ----------------------------------------------------------------------------
    Phrase(
        "loading",
        "llama.cpp",
        r"(?<!error )(?<!failed )\bloading (?:the )?model\b",
        "Loading model",
    ),
    Phrase(
        "loading",
        "Hugging Face",
        r"\bmodel\b[^.]{0,80}\bis (?:currently |still |being )*load(?:ing|ed\b(?! with))",
        "Model bigscience/bloom is currently loading",
    ),
    Phrase(
        "loading",
        "llama-swap, TabbyAPI",
        r"\b(?:still|currently) loading\b|\bis warming up\b|\bmodel is not ready\b",
        "The server is still loading, please wait",
    ),
    # --- an empty account -------------------------------------------------------------------
    Phrase(
        "quota",
        "Anthropic",
        r"credit balance is too low",
        "Your credit balance is too low to access the Anthropic API.",
    ),
    Phrase(
        "quota",
        "OpenAI; Gemini, which says the same of a limit per minute",
        r"exceeded your (?:current |monthly )?quota",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    Phrase(
        "quota",
        "DeepSeek, OpenRouter",
        r"insufficient (?:credits|balance|funds|quota)",
        "Insufficient Balance",
    ),
    Phrase(
        "quota",
        "OpenRouter",
        r"requires more credits|can only afford \d",
        "This request requires more credits, or fewer max_tokens. You requested up to 32000 "
        "tokens, but can only afford 412.",
    ),
    Phrase("quota", "OpenAI", r"billing hard limit", "Billing hard limit has been reached"),
    Phrase(
        "quota",
        "xAI",
        r"\bspend(?:ing)? limit\b",
        "Your team has either used all available credits or reached its monthly spending limit.",
    ),
    Phrase(
        "quota",
        "Anthropic",
        r"\busage limits?\b.{0,40}\breached\b|\breached\b.{0,40}\busage limits?\b",
        "You have reached your specified API usage limits.",
    ),
    # --- keys -------------------------------------------------------------------------------
    Phrase(
        "auth",
        "Anthropic, OpenAI",
        r"(?:invalid|incorrect|expired|revoked|missing|no) (?:x-)?api[ -_]?key",
        "invalid x-api-key",
    ),
    Phrase(
        "auth",
        "Gemini, with 400",
        r"api[ -_]?key (?:is |was )?(?:not valid|invalid|expired|missing|not found|revoked)",
        "API key not valid. Please pass a valid API key.",
    ),
    Phrase(
        "auth",
        "OpenAI",
        r"(?:did not|didn't) provide an api key",
        "You didn't provide an API key.",
    ),
    Phrase(
        "auth",
        "GitHub Models",
        r"invalid (?:bearer|authentication|access) token",
        "Invalid access token.",
    ),
    Phrase(
        "auth",
        "the SDK of Anthropic",
        r"could not resolve authentication",
        "Could not resolve authentication method.",
    ),
    # --- the context that a server's slots share --------------------------------------------
    Phrase(
        "pool",
        "llama.cpp with -kvu; one that is too long is exceed_context_size_error",
        r"^\s*context size has been exceeded\.?\s*$",
        "Context size has been exceeded.",
    ),
    # --- the answer may be longer than the model can give ------------------------------------
    Phrase(
        "output",
        "OpenAI, vLLM",
        r"max(?:_completion)?_tokens'? (?:or 'max_completion_tokens' )?is too (?:large|big)",
        "'max_tokens' or 'max_completion_tokens' is too large: 32000. This model's maximum context "
        "length is 8192 tokens and your request has 13 input tokens (32000 > 8192 - 13).",
    ),
    Phrase(
        "output",
        "Anthropic",
        r"max_tokens: \d+ > \d+",
        "max_tokens: 32000 > 8192, which is the maximum allowed number of output tokens for x",
    ),
    Phrase(
        "output",
        "OpenAI",
        r"supports at most \d+ completion tokens",
        "This model supports at most 16384 completion tokens, whereas you provided 32000.",
    ),
    Phrase(
        "output",
        "DeepSeek, Groq",
        r"(?:valid range of|invalid) `?max_(?:completion_)?tokens`?"
        r"|`?max_(?:completion_|output_)?tokens`? must be (?:less|at most|smaller|<)",
        "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
    ),
    Phrase(
        "output",
        "Qwen",
        r"range of max_(?:completion_)?tokens should be",
        "Range of max_tokens should be [1, 8192]",
    ),
    # --- a conversation that is too long -------------------------------------------------------
    Phrase(
        "context",
        "Anthropic, Fireworks",
        r"prompt is too long",
        "prompt is too long: 210000 tokens > 200000 maximum",
    ),
    Phrase(
        "context",
        "OpenAI, vLLM, DeepSeek, Mistral",
        r"maximum context length|max(?:imum)? (?:model|sequence) len(?:gth)?\b",
        "This model's maximum context length is 128000 tokens. However, your messages resulted in "
        "212454 tokens.",
    ),
    Phrase(
        "context",
        "many",
        r"context[ _-](?:length|window|size)[^.]{0,40}(?:exceed|too (?:long|large|small))",
        "context window exceeded",
    ),
    Phrase(
        "context",
        "MiniMax, Ollama, llama.cpp",
        r"exceed[^.]{0,60}context (?:length|window|size|limit)",
        "the request exceeds the available context size",
    ),
    Phrase(
        "context",
        "SGLang",
        r"longer than the model's context (?:length|window)",
        "The input (9999 tokens) is longer than the model's context length (8192 tokens).",
    ),
    Phrase("context", "Bedrock", r"input is too long", "Input is too long for requested model."),
    Phrase(
        "context",
        "Anthropic",
        r"input length and `?max_tokens`? exceed",
        "input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000",
    ),
    Phrase(
        "context",
        "Cohere",
        r"too many (?:input )?tokens(?: in (?:the )?prompt|: total number of tokens)",
        "too many tokens: total number of tokens in the prompt cannot exceed 4081",
    ),
    Phrase(
        "context",
        "xAI",
        r"maximum prompt length|prompt length is \d+ but",
        "This model's maximum prompt length is 131072 but the request contains 187000 tokens.",
    ),
    Phrase(
        "context",
        "Kimi",
        r"exceed(?:ed|s)? (?:the )?model(?:'s)? token limit",
        "Invalid request: Your request exceeded model token limit: 8192",
    ),
    Phrase(
        "context",
        "Gemini",
        r"token count[^.]{0,40}exceeds the (?:maximum|limit)",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    ),
    Phrase(
        "context",
        "LM Studio",
        r"context length of only \d+ tokens|when context the overflows"
        r"|tokens to keep from the initial prompt is greater than the context length",
        "Trying to keep the first 5000 tokens when context the overflows. However, the model is "
        "loaded with context length of only 4096 tokens, which is not enough.",
    ),
    Phrase(
        "context",
        "Copilot",
        r"prompt token count of \d+ exceeds the limit",
        "prompt token count of 130321 exceeds the limit of 128000",
    ),
    Phrase(
        "context",
        "z.ai, code 1261",
        r"prompt exceeds (?:the )?max(?:imum)? (?:input )?length|prompt 超长",
        "Prompt exceeds max length",
    ),
    Phrase(
        "context",
        "Qwen",
        r"range of input length should be",
        "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 98304]",
    ),
    Phrase(
        "context",
        "an OpenAI-compatible gateway",
        r"tokens in request more than max tokens allowed",
        "Number of tokens in request more than max tokens allowed",
    ),
    Phrase(
        "context",
        "Together, Hugging Face TGI",
        r"`?inputs`? tokens \+ `?max_new_tokens`? must be"
        r"|`?inputs`? must have less than \d+ tokens",
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 9000 "
        "`inputs` tokens and 512 `max_new_tokens`",
    ),
    Phrase(
        "context",
        "Cerebras, Groq",
        r"reduce the length of (?:the |your )?(?:messages|prompt|input)",
        "Please reduce the length of the messages or completion. Current length is 9000 while "
        "limit is 8192",
    ),
    Phrase(
        "context",
        "GitHub Models",
        r"request body too large for \S+ model",
        "Request body too large for gpt-4o model. Max size: 8000 tokens.",
    ),
    # --- filters ----------------------------------------------------------------------------
    Phrase(
        "filter",
        "Anthropic, Azure",
        r"content[ _-](?:filter(?:ing|ed)?|management)(?: policy|\b)",
        "Output blocked by content filtering policy",
    ),
    Phrase(
        "filter",
        "OpenRouter, with 403",
        r"requires moderation|input was flagged",
        "openai/gpt-5 requires moderation on OpenRouter. Your input was flagged for "
        '"harassment". No credits were charged.',
    ),
    Phrase(
        "filter",
        "OpenAI",
        r"\bflagged\b[^.]{0,60}(?:violat|polic|unsafe|safety)",
        "Invalid prompt: your prompt was flagged as potentially violating our usage policy.",
    ),
    Phrase(
        "filter",
        "xAI, OpenAI",
        r"violat\w+[^.]{0,40}(?:guidelines|polic(?:y|ies)|terms of (?:use|service))",
        "Content violates usage guidelines.",
    ),
    Phrase(
        "filter",
        "OpenAI, Gemini",
        r"(?:blocked|rejected)[^.]{0,60}(?:safety|prohibited|guardrail|moderation)"
        r"|\bprohibited_content\b",
        "Your request was rejected as a result of our safety system.",
    ),
    Phrase("filter", "DeepSeek", r"content exists risk", "Content Exists Risk"),
    Phrase(
        "filter",
        "Qwen",
        r"inappropriate content|data_inspection_failed",
        "Output data may contain inappropriate content.",
    ),
    Phrase(
        "filter",
        "Kimi",
        r"considered high risk",
        "The request was rejected because it was considered high risk",
    ),
    # --- requests that fail again -------------------------------------------------------------
    Phrase(
        "policy",
        "OpenRouter",
        r"no endpoints (?:found|available)|no allowed providers",
        "No endpoints found matching your data policy (Free model training).",
    ),
    Phrase("model", "llama.cpp", r"no such model", "no such model"),
    Phrase(
        "model",
        "LiteLLM, Mistral",
        r"unknown model|invalid model",
        "/chat/completions: Invalid model name passed in model=x.",
    ),
    Phrase(
        "model",
        "OpenAI, Ollama, vLLM, OpenRouter",
        r"model[^.]{0,80}(?:not found|does not exist|doesn't exist)|not a valid model\b",
        "The model `gpt-9` does not exist or you do not have access to it.",
    ),
    Phrase(
        "model",
        "transformers serve",
        r"server is pinned to\b",
        "Server is pinned to 'toy'; requested 'x'.",
    ),
    Phrase("model", "many", r"model_not_found", "model_not_found: x"),
    Phrase(
        "config",
        "many",
        r"model[^.]{0,80}(?:not supported|is not available|has been (?:deprecated|retired))",
        "The model x has been deprecated.",
    ),
    Phrase(
        "config",
        "many",
        r"(?:unsupported|unknown|unrecognized|invalid|unexpected)"
        r" (?:parameter|argument|field|value for)",
        "unsupported parameter: top_k",
    ),
    Phrase("config", "many", r"malformed (?:request|json)", "malformed request"),
    # --- what passes ------------------------------------------------------------------------
    Phrase(
        "rate",
        "OpenAI, Anthropic",
        r"\brate[ _-]?limit(?:ed|s)?\b|too many requests",
        "Rate limit reached for gpt-5 on tokens per min (TPM): Limit 30000, Used 29500.",
    ),
    Phrase(
        "timeout",
        "gateways",
        r"\btimed[ -]?out\b|connection (?:reset|refused|aborted|closed)|bad gateway",
        "upstream request timed out",
    ),
    Phrase(
        "server",
        "Ollama",
        r"(?:model|llama) runner\b[^.]{0,60}(?:stopped|terminated|no longer running|crashed)",
        "model runner has unexpectedly stopped, this may be due to resource limitations or an "
        "internal error, check ollama server logs for details",
    ),
    Phrase(
        "server",
        "vLLM",
        r"\benginedeaderror\b|\benginecore\b[^.]{0,80}(?:issue|died|dead)"
        r"|engine (?:is |has )?d(?:ead|ied)",
        "EngineCore encountered an issue. See stack trace (above) for the root cause.",
    ),
    Phrase(
        "server",
        "LM Studio",
        r"model (?:has )?(?:crashed|unloaded)|channel error",
        "The model has crashed without additional information. (Exit code: 6)",
    ),
    Phrase(
        "server",
        "llama.cpp, vLLM, transformers",
        r"out of memory|\bcuda error\b|failed to (?:decode|allocate)|internal (?:server )?error",
        "CUDA out of memory. Tried to allocate 2.00 GiB.",
    ),
    Phrase(
        "plain",
        "OpenSSL",
        r"wrong_version_number|wrong version number|record_layer_failure|unknown protocol",
        "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1010)",
    ),
    Phrase(
        "plain",
        "nginx, Go",
        r"plain http request was sent to https|http request to an https server",
        "The plain HTTP request was sent to HTTPS port",
    ),
)


@cache
def _pattern(topic: Topic) -> re.Pattern[str]:
    return re.compile(
        "|".join(f"(?:{p.pattern})" for p in PHRASES if p.topic == topic), re.MULTILINE
    )


def speaks_of(topic: Topic, words: str) -> bool:
    """Say whether `words`, in lower case, have a phrase about `topic`."""
    return _pattern(topic).search(words) is not None


# A number is a status only where it stands as one: behind a word that says so, and not followed
# by what would make it a port, a duration, an id or a larger number.
STATUS = re.compile(
    r"\b(?:http(?:/[\d.]+)?(?: status)?|status(?:[ _]?code)?|error code|response code)"
    r"\s*[:=]?\s*['\"(]?([345]\d\d)(?![\w:.-]|\s*(?:ms|s|sec|seconds|minutes|tokens)\b)"
)
