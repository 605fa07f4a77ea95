"""The words with which servers say why an answer ended, in one table for all protocols.

A word is compared in lower case. One that is not here is shown to the person: an answer is never
silently taken for whole.
"""

from __future__ import annotations

from typing import Literal

from palaver.wire.messages import Finish

# What a word means. `whole`: the model came to an end. `cut`: a limit did. `filtered`: a filter
# did. `calls`: the model waits for its tools. `given up`: nobody will say the rest; ask again.
Meaning = Literal["whole", "cut", "filtered", "calls", "given up"]

# Meaning -> word -> who says it, and where that is written.
SAID: dict[Meaning, dict[str, str]] = {
    "whole": {
        "stop": "OpenAI's Chat Completions; whoever is compatible; Gemini (STOP)",
        "end_turn": "Anthropic's Messages, Bedrock's Converse",
        "stop_sequence": "Anthropic's Messages, Bedrock, Cohere, TGI",
        "pause_turn": "Anthropic's Messages: a turn of server tools that may be gone on with",
        "completed": "OpenAI's Responses: status of the response",
        "complete": "Cohere's Chat",
        "eos": "Together, llama.cpp before 2024",
        "eos_token": "Text Generation Inference, watsonx",
        "eosfound": "LM Studio: LLMPredictionStopReason",
        "stopstringfound": "LM Studio: LLMPredictionStopReason",
        "normal": "Baidu's Qianfan",
    },
    "cut": {
        "length": "OpenAI's Chat Completions; whoever is compatible",
        "max_tokens": "Anthropic's Messages, Bedrock, Cohere, Gemini (MAX_TOKENS), watsonx",
        "max_output_tokens": "OpenAI's Responses: incomplete_details.reason",
        "max_messages": "OpenAI's Responses: incomplete_details.reason",
        "incomplete": "OpenAI's Responses: status of a response that does not say why",
        "model_length": "Mistral: the context is full",
        "model_context_window_exceeded": "Anthropic's Messages, Bedrock, z.ai",
        "error_limit": "Cohere's Chat: the context is full",
        "limit": "llama.cpp before 2024",
        "maxpredictedtokensreached": "LM Studio: LLMPredictionStopReason",
        "contextlengthreached": "LM Studio: LLMPredictionStopReason",
        "token_limit": "watsonx",
        "time_limit": "watsonx",
    },
    "filtered": {
        "content_filter": "OpenAI, both protocols; Azure, DeepSeek, Moonshot",
        "content_filtered": "Bedrock's Converse",
        "guardrail_intervened": "Bedrock's Converse",
        "refusal": "Anthropic's Messages",
        "safety": "Gemini (SAFETY)",
        "sensitive": "z.ai and Zhipu",
        "recitation": "Gemini",
        "blocklist": "Gemini",
        "prohibited_content": "Gemini",
        "spii": "Gemini: what identifies a person",
        "language": "Gemini: a language that is not served",
        "image_safety": "Gemini",
        "error_toxic": "Cohere's Chat",
    },
    "calls": {
        "tool_calls": "OpenAI's Chat Completions; whoever is compatible",
        "function_call": "OpenAI's Chat Completions, before tools",
        "tool_use": "Anthropic's Messages, Bedrock",
        "tool_call": "Cohere's Chat",
        "toolcalls": "LM Studio: LLMPredictionStopReason",
    },
    "given up": {
        "error": "vLLM, Mistral, OpenRouter, Cohere, watsonx; seen as Anthropic's stop_reason, too",
        "failed": "OpenAI's Responses: status; LM Studio",
        "abort": "vLLM, SGLang: the request was aborted",
        "cancelled": "OpenAI's Responses: status; watsonx",
        "user_cancel": "Cohere's Chat: nobody here did",
        "userstopped": "LM Studio: nobody here did",
        "modelunloaded": "LM Studio: LLMPredictionStopReason",
        "unload": "Ollama: done_reason of a model that is taken out of memory",
        "insufficient_system_resource": "DeepSeek: interrupted, the inference has no resources",
        "network_error": "z.ai and Zhipu: the inference broke off",
        "timeout": "Cohere's Chat",
        "malformed_function_call": "Gemini: the model's own call could not be read",
        "malformed_model_output": "Bedrock's Converse",
        "malformed_tool_use": "Bedrock's Converse",
    },
}

WORDS: dict[str, Meaning] = {word: meaning for meaning, said in SAID.items() for word in said}

# The finish of an answer that is kept.
FINISHES: dict[Meaning, Finish] = {
    "whole": "stop",
    "cut": "length",
    "filtered": "content_filter",
    "calls": "tool_calls",
}

# What stands for no word at all: sent with every piece until the last.
_NONE = frozenset(
    {
        "",
        "null",  # Baidu, DashScope, Zhipu
        "none",
        "unknown",
        "not_finished",  # watsonx
        "finish_reason_unspecified",  # Gemini
        "in_progress",  # OpenAI's Responses
        "queued",  # OpenAI's Responses
    }
)

# Where several words came, the first of these that is among them decides: a gateway that adds a
# `stop` of its own does not make an answer whole that was cut.
_WORST = ("given up", "filtered", "cut", None, "calls", "whole")

# Longer than any word; a sentence is cut for those who read it.
_MAX_WORD = 60


def word_of(value: object) -> str | None:
    """Return the finish word that a field holds, as it was written; None where it holds none.

    SGLang's own protocol wraps it: `{"type": "stop", "matched": 2}`.
    """
    if isinstance(value, dict):
        value = value.get("type")
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    word = str(value).strip()[:_MAX_WORD]
    return None if word.lower() in _NONE else word


def meaning_of(word: str) -> Meaning | None:
    """Return what a finish word means; None for one that is not known."""
    return WORDS.get(word.lower().replace("-", "_").replace(" ", "_"))


def worse(one: str | None, other: str) -> str:
    """Return which of two finish words of one answer says less of its being whole."""
    if one is None:
        return other
    return min(one, other, key=lambda word: _WORST.index(meaning_of(word)))
