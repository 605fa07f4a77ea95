"""The types of `config.toml`. Descriptions become the comments of the generated example."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from palaverd.config.defaults import (
    HEARTBEAT_S,
    LEASE_S,
    MAX_CHATS,
    MAX_OUTPUT_TOKENS,
    MAX_STEPS,
    MAX_SUBAGENTS,
    RETENTION_DAYS,
)
from palaverd.failures import RetryPolicy

ProviderKind = Literal["anthropic", "openai", "openai-compatible"]
LimitParameter = Literal["max_tokens", "max_completion_tokens", "none"]
SystemRole = Literal["system", "developer", "user"]
Seconds = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=1)]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file. Unknown keys are errors: mostly, they are misspelt."""


class ProviderConfig(Section, frozen=True):
    """How to reach a provider."""

    kind: Annotated[
        ProviderKind,
        Meta(
            description="The protocol: anthropic (Messages), openai (Responses), or "
            "openai-compatible (Chat Completions: Ollama, llama.cpp, vLLM, LM Studio and others)."
        ),
    ]
    base_url: Annotated[
        str | None,
        Meta(
            description="Where it answers, if not at the vendor's own address. With /v1 for the "
            "openai kinds, without it for anthropic."
        ),
    ] = None
    api_key: Annotated[
        str | None,
        Meta(
            description='"env:NAME" for an environment variable, "file:PATH", "cmd:COMMAND", or '
            "the key itself. Left out: "
            "ANTHROPIC_API_KEY or OPENAI_API_KEY."
        ),
    ] = None
    startup_seconds: Annotated[
        Seconds | None,
        Meta(
            description="How long its first word may take. Left out: 60, and 600 with a "
            "base_url, where a model may have to be loaded first."
        ),
    ] = None
    silence_seconds: Annotated[
        Seconds | None,
        Meta(description="How long an answer may stop, with nothing sent. Left out: 120."),
    ] = None
    pings_seconds: Annotated[
        Seconds | None,
        Meta(description="How long an answer may stop, with only pings sent. Left out: 600."),
    ] = None


class ModelConfig(Section, frozen=True):
    """A model that can be chosen by the name of its table."""

    provider: Annotated[str, Meta(description="The name of a table under [providers].")]
    model: Annotated[str, Meta(description="The provider's own name for it.")]
    context_limit: Annotated[
        Count | None, Meta(description="Tokens of its context window, to show how full it is.")
    ] = None
    max_output_tokens: Annotated[
        Count, Meta(description="The most tokens that one answer may have.")
    ] = MAX_OUTPUT_TOKENS
    limit_parameter: Annotated[
        LimitParameter | None,
        Meta(
            description="What an openai-compatible server calls that limit: max_tokens, "
            "max_completion_tokens, or none, which sends no limit. Left out: what is known of the "
            "server, else max_tokens. A refusal corrects it."
        ),
    ] = None
    stream_options: Annotated[
        bool | None,
        Meta(
            description="Whether an openai-compatible server is asked for counts of tokens. Left "
            "out: what is known of the server, else true. A refusal corrects it."
        ),
    ] = None
    system_role: Annotated[
        SystemRole | None,
        Meta(
            description="As whom an openai-compatible server is told the system prompt: system, "
            "developer, or user, before the first message. Left out: what is known of the server, "
            "else system. A refusal corrects it."
        ),
    ] = None
    reasoning: Annotated[
        Literal["low", "medium", "high"] | None,
        Meta(description="How much it thinks before it answers: low, medium or high."),
    ] = None
    vision: Annotated[
        bool | None,
        Meta(
            description="Whether it understands pictures: they are shown to it, or refused. Left "
            "out: what is known of the server, else true for anthropic and openai, and false for "
            "openai-compatible. A refusal corrects true."
        ),
    ] = None
    fallback: Annotated[
        list[str],
        Meta(
            description="Models that stand in for it, by their names here. After three attempts "
            "that met an overload, a rate limit or a server error each is asked once, in this "
            "order; the message says who answered. Empty: nobody stands in."
        ),
    ] = []
    max_attempts: Annotated[
        Count, Meta(description="Attempts of one answer, before a turn ends in an error.")
    ] = RetryPolicy().max_attempts
    max_retry_seconds: Annotated[
        Seconds, Meta(description="How long an answer is tried again, before a turn ends.")
    ] = RetryPolicy().max_elapsed


class ServerConfig(Section, frozen=True):
    """Who reaches the daemon over the network, and how."""

    listen: Annotated[
        list[str],
        Meta(
            description="Addresses to listen on over TCP, as HOST:PORT ([::1]:7777 for IPv6). One "
            "that others reach needs tls_cert and tls_key. Empty: only the Unix socket."
        ),
    ] = []
    tls_cert: Annotated[
        str | None,
        Meta(
            description="The file of a certificate (PEM), with the chain to its CA. Read again "
            "when it changes."
        ),
    ] = None
    tls_key: Annotated[
        str | None,
        Meta(description="The file of its key (PEM, not encrypted), for you alone to read."),
    ] = None
    public_url: Annotated[
        str | None,
        Meta(
            description="Under which URL others reach it, where that is another name than this "
            "machine's own: https://HOST or https://HOST:PORT. What is for another name is refused."
        ),
    ] = None
    allowed_origins: Annotated[
        list[str],
        Meta(
            description="Web pages that may use it, as https://HOST. Empty: no page of any browser."
        ),
    ] = []
    trusted_proxies: Annotated[
        list[str],
        Meta(
            description="Addresses (127.0.0.1) or networks (10.0.0.0/8) of proxies in front of it: "
            "what they say of a client (X-Forwarded-For, -Host, -Proto) is believed, and of nobody "
            "else."
        ),
    ] = []


class WorkerConfig(Section, frozen=True):
    """How many chats the daemon runs, and its leases."""

    enabled: Annotated[bool, Meta(description="false: serve clients, but run no chats.")] = True
    max_chats: Annotated[
        Annotated[int, Meta(ge=0)],
        Meta(description="Chats that run at once; more wait. 0: no limit."),
    ] = MAX_CHATS
    max_subagents: Annotated[
        Annotated[int, Meta(ge=0)],
        Meta(description="Sub-agents that run at once, counted apart. 0: no limit."),
    ] = MAX_SUBAGENTS
    heartbeat_seconds: Annotated[
        Seconds, Meta(description="How often a worker says that it lives.")
    ] = HEARTBEAT_S
    lease_seconds: Annotated[
        Seconds, Meta(description="How long a worker that fell silent keeps its chats.")
    ] = LEASE_S


class GenerationConfig(Section, frozen=True):
    """Bounds of a turn."""

    max_steps: Annotated[
        Count, Meta(description="Model calls after one message, before a turn is ended.")
    ] = MAX_STEPS


class RetentionConfig(Section, frozen=True):
    """How long messages that were edited away, and files, are kept."""

    days: Annotated[
        Annotated[int, Meta(ge=0, le=36_500)],
        Meta(
            description="Messages that were edited away, and files that were sent, are removed "
            "after so many days; 0: never."
        ),
    ] = RETENTION_DAYS


class Config(Section, frozen=True):
    """The whole file. Every key may be left out."""

    default_model: Annotated[
        str | None, Meta(description="The model that answers where none was chosen.")
    ] = None
    providers: Annotated[
        dict[str, ProviderConfig], Meta(description="How to reach a provider, by its name.")
    ] = {}
    models: Annotated[
        dict[str, ModelConfig], Meta(description="A model that can be chosen, by its name.")
    ] = {}
    server: Annotated[
        ServerConfig, Meta(description="Who reaches the daemon over the network.")
    ] = ServerConfig()
    worker: Annotated[WorkerConfig, Meta(description="Who works on chats.")] = WorkerConfig()
    generation: Annotated[GenerationConfig, Meta(description="Bounds of a turn.")] = (
        GenerationConfig()
    )
    retention: Annotated[
        RetentionConfig, Meta(description="How long what was deleted is kept.")
    ] = RetentionConfig()
