"""Each server of the table, played by the simulator, is read correctly.

Over real sockets and through the real SDKs; both sides know only the table.
"""

from __future__ import annotations

from typing import Any

import aiohttp
import msgspec
import pytest

from palaver.clock import SystemClock
from palaver.servers.facts import Mark, Server, Source
from palaver.servers.recognition import at_address, by_headers, sees_no_tools
from palaver.servers.table import BY_SLUG, SERVERS, sentences, words
from palaver.wire.errors import FailureKind
from palaverd.config.types import Config, ModelConfig, ProviderConfig
from palaverd.failures import Signals, classify
from palaverd.generation.catalog import Catalog
from palaverd.providers.build import address_of, make_provider
from palaverd.providers.neutral import Completed
from palaverd.providers.terms import Terms, opening_terms
from palaverd.simulator import Simulator
from palaverd.simulator.dialects import DIALECTS
from providers.calling import Kind, Outcome, ask, call, made
from providers.strict import Body, refusal, strict
from servers.recordings import FOLDER

# The kind of a failure with a message about each topic.
MEANS: dict[str, FailureKind] = {
    "overloaded": "overloaded",
    "loading": "loading",
    "quota": "usage_limit",
    "auth": "auth",
    "pool": "server_error",
    "output": "config",
    "context": "context_overflow",
    "filter": "content_filter",
    "policy": "config",
    "config": "config",
    "model": "config",
    "rate": "rate_limit",
    "server": "server_error",
}
# The prompt for the simulator, and the topic that the server may have its own words for.
FAULTS = {
    "401": "auth",
    "404": "model",
    "429": "rate",
    "529": "overloaded",
    "context": "context",
    "loading": "loading",
    "quota": "quota",
}
PLAYED = [pytest.param(server, id=slug) for slug, server in DIALECTS.items()]


def kind_of(server: Server) -> Kind:
    return server.protocol


def test_every_server_that_is_known_by_its_address_is_played() -> None:
    known = {server.slug for server in SERVERS if server.marks}
    assert known <= DIALECTS.keys()


@pytest.mark.parametrize("server", PLAYED)
async def test_answers_of_a_server_are_read(server: Server) -> None:
    kind = kind_of(server)
    async with (
        Simulator(rate=0, dialect=server.slug) as simulator,
        made(kind, simulator.url) as provider,
    ):
        plain = await call(provider, "[[echo]] Four it is.")
        thought = await call(provider, ask("[[reasoning]] [[echo]] Four it is.", reasoning="low"))
        cut = await call(provider, ask("[[length=900]] go on", max_output_tokens=300))
        tool = await call(provider, "[[tool=weather]] [[echo]] Let me see.")
    assert (plain.text, _finish(plain)) == ("Four it is.", "stop")
    assert thought.text == "Four it is."
    assert [block.kind for block in thought.blocks] == ["reasoning", "text"]
    assert len(thought.blocks[0].text) > 10
    assert (_finish(cut), _finish(tool)) == ("length", "tool_calls")
    assert tool.blocks[-1].name == "weather"
    for outcome in (plain, thought, cut, tool):
        usage = _completed(outcome).usage
        if server.sends is not None and server.sends.usage == "never":
            assert usage.input_tokens is usage.output_tokens is None
            continue
        assert usage.input_tokens
        assert usage.output_tokens
        if server.sends is not None and server.sends.cached is not None:
            assert usage.cache_read_tokens == 2 or kind != "openai-compatible"


@pytest.mark.parametrize("server", PLAYED)
async def test_failures_of_a_server_are_called_what_they_are(server: Server) -> None:
    kind = kind_of(server)
    topics = {says.topic for says in server.says if says.status is not None}
    prompts = {
        f"[[dialect={server.slug} says={topic}]] {topic}": MEANS[topic] for topic in sorted(topics)
    }
    for fault, topic in FAULTS.items():
        prompts[f"[[dialect={server.slug}]] [[{fault} times=9]] {fault}"] = MEANS[topic]
    found = {}
    async with Simulator(rate=0) as simulator, made(kind, simulator.url) as provider:
        for prompt in prompts:
            outcome = await call(provider, prompt)
            found[prompt] = None if outcome.error is None else outcome.error.kind
    assert found == prompts


@pytest.mark.parametrize("server", PLAYED)
async def test_a_wrong_key_and_a_wrong_model_are_said_by_the_server_itself(server: Server) -> None:
    kind = kind_of(server)
    async with Simulator(rate=0, dialect=server.slug) as simulator:
        async with made(kind, simulator.url, api_key="bad-key") as provider:
            key = await call(provider, "hi")
        async with made(kind, simulator.url) as provider:
            model = await call(provider, ask("hi", model="no-such-model"))
    assert key.error is not None
    assert model.error is not None
    assert (key.error.kind, model.error.kind) == ("auth", "config")
    for outcome, topic in ((key, "auth"), (model, "model")):
        says = server.saying(topic)
        if says is not None:
            assert outcome.error is not None
            assert outcome.error.status_code == says.status
            assert (outcome.error.detail or "")[:20] == says.said[:20]


def _completed(outcome: Outcome) -> Completed:
    assert outcome.error is None, outcome.error
    assert outcome.completed is not None
    return outcome.completed


def _finish(outcome: Outcome) -> str:
    return _completed(outcome).finish


# --- the table itself -------------------------------------------------------------------------

SAID = [
    pytest.param(says, id=f"{server.slug}: {says.topic}: {says.said[:30]}")
    for server, says in sentences()
    if says.status is not None and says.status >= 300
]


@pytest.mark.parametrize("says", SAID)
def test_a_sentence_with_its_status_and_codes_says_what_happened(says: Any) -> None:
    seen = Signals(
        provider="acme",
        model="m",
        status=says.status,
        body_message=says.said,
        body_type=says.type,
        body_code=None if says.code is None else str(says.code),
        body_wait_ms=3070 if "retry in" in says.said else None,
    )
    assert classify(seen).kind == MEANS[says.topic]


def _sources(value: Any) -> list[Source]:
    if isinstance(value, Source):
        return [value]
    if isinstance(value, tuple):
        return [source for one in value for source in _sources(one)]
    if isinstance(value, msgspec.Struct):
        fields = [getattr(value, name) for name in value.__struct_fields__]
        return [source for one in fields for source in _sources(one)]
    return []


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.slug)
def test_every_fact_has_a_source(server: Server) -> None:
    sources = _sources(server)
    assert sources
    for source in sources:
        where = source.where
        seen = where.startswith("seen with ") and source.version
        assert where.startswith(("https://", "github.com/", "reported: ")) or seen, source


def test_names_are_told_apart() -> None:
    assert len(BY_SLUG) == len(SERVERS)
    assert len({server.name for server in SERVERS}) == len(SERVERS)


# The meaning of each word, repeated here: a word that moves in the table fails.
MEANING: dict[str, str] = {
    "whole": "stop end_turn stop_sequence pause_turn completed complete eos eos_token eosfound "
    "stopstringfound normal",
    "cut": "length max_tokens max_output_tokens max_messages incomplete model_length "
    "model_context_window_exceeded error_limit limit maxpredictedtokensreached "
    "contextlengthreached token_limit time_limit",
    "filtered": "content_filter content_filtered guardrail_intervened refusal safety sensitive "
    "recitation blocklist prohibited_content spii language image_safety error_toxic",
    "calls": "tool_calls function_call tool_use tool_call toolcalls",
    "given up": "error failed abort cancelled user_cancel userstopped modelunloaded unload "
    "insufficient_system_resource network_error timeout malformed_function_call "
    "malformed_model_output malformed_tool_use",
}


def test_each_finish_word_means_what_it_says() -> None:
    found = {meaning: set(said) for meaning, said in words().items()}
    assert found == {meaning: set(said.split()) for meaning, said in MEANING.items()}


@pytest.mark.parametrize(
    ("configured", "shown"),
    [
        ("deepseek", "DeepSeek"),
        ("llama-cpp", "llama.cpp"),
        ("LLAMA.CPP", "llama.cpp"),
        ("lm-studio", "LM Studio"),
        ("transformers-serve", "transformers serve"),
        ("z-ai", "z.ai"),
        ("work", "work"),
    ],
)
def test_a_sentence_names_a_server_as_its_makers_do(configured: str, shown: str) -> None:
    error = classify(Signals(provider=configured, status=529))
    assert error.message == f"{shown} is overloaded."


# --- recognition ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "slug"),
    [
        ("https://api.deepseek.com/v1", "deepseek"),
        ("https://API.DeepSeek.com", "deepseek"),
        ("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "qwen"),
        ("https://my-resource.openai.azure.com/openai/v1", "azure"),
        ("https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1", "bedrock"),
        ("https://api.business.githubcopilot.com", "copilot"),
        ("https://generativelanguage.googleapis.com/v1beta/openai", "gemini"),
        ("https://api.githubcopilot.com", "copilot"),
        ("https://API.OpenAI.com./v1", "openai"),
        ("https://api.deepseek.com.example.org/v1", None),
        ("https://api.minimax.example.org/v1", None),
        ("https://dashscope.example.aliyuncs.com/v1", None),
        ("https://notopenrouter.ai/api/v1", None),
        ("http://127.0.0.1:8080/v1", None),
        ("http://[::1", None),
        ("not a url", None),
    ],
)
def test_an_address_tells_a_server(url: str, slug: str | None) -> None:
    found = at_address(url)
    assert (None if found is None else found.slug) == slug


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.slug)
def test_the_address_of_an_example_is_the_server_s(server: Server) -> None:
    if server.base_url is not None and server.place != "home" and server.marked("host"):
        assert at_address(server.base_url) is server


def test_a_header_tells_a_server() -> None:
    assert by_headers({"server": "llama.cpp"}) is BY_SLUG["llama.cpp"]
    assert by_headers({"server": "uvicorn", "x-litellm-version": "1.83.0"}) is BY_SLUG["litellm"]
    assert by_headers({"server": "nginx/1.25"}) is None
    assert by_headers({}) is None


def test_a_template_without_tools_is_noticed() -> None:
    assert sees_no_tools({"chat_template_caps": {"supports_tools": False}})
    assert not sees_no_tools({"chat_template_caps": {"supports_tools": True}})
    others: list[Any] = [None, [], {}, {"chat_template_caps": None}]
    for other in others:
        assert not sees_no_tools(other)


# --- requirements -----------------------------------------------------------------------------

MODEL = ModelConfig(provider="p", model="m")


@pytest.mark.parametrize(
    ("slug", "terms"),
    [
        ("openai", Terms(limit="max_completion_tokens")),
        ("gemini", Terms()),
        ("groq", Terms(limit="max_completion_tokens", pictures=False)),
        ("mistral", Terms(usage=False, pictures=False)),
        ("deepseek", Terms(pictures=False)),
        ("llama.cpp", Terms(pictures=False)),
    ],
)
def test_the_first_request_is_as_the_server_wants_it(slug: str, terms: Terms) -> None:
    assert opening_terms(MODEL, "openai-compatible", BY_SLUG[slug]) == terms


def test_an_unknown_server_gets_the_terms_of_its_protocol() -> None:
    assert opening_terms(MODEL, "openai-compatible", None) == Terms(pictures=False)
    assert opening_terms(MODEL, "openai", None) == Terms()
    assert opening_terms(MODEL, "anthropic", None) == Terms()


def test_what_is_configured_comes_before_what_is_known() -> None:
    model = msgspec.structs.replace(
        MODEL,
        limit_parameter="max_tokens",
        stream_options=True,
        system_role="developer",
        vision=False,
    )
    expected = Terms(limit="max_tokens", usage=True, system="developer", pictures=False)
    assert opening_terms(model, "openai-compatible", BY_SLUG["openai"]) == expected
    assert opening_terms(model, "openai-compatible", BY_SLUG["mistral"]) == expected


def test_without_a_base_url_the_vendor_is_asked() -> None:
    server = at_address(address_of(ProviderConfig(kind="openai-compatible")))
    assert server is BY_SLUG["openai"]


def test_a_model_that_is_chosen_has_the_terms_of_its_server() -> None:
    addresses = {"mistral": "https://api.mistral.ai/v1", "home": "http://127.0.0.1:8080/v1"}
    config = Config(
        providers={
            name: ProviderConfig(kind="openai-compatible", base_url=url)
            for name, url in addresses.items()
        },
        models={name: ModelConfig(provider=name, model="m") for name in addresses},
    )
    providers = {
        name: make_provider(name, provider, api_key="k", key_hint="KEY", clock=SystemClock())
        for name, provider in config.providers.items()
    }
    catalog = Catalog(config, providers, {})
    for name, terms in (
        ("mistral", Terms(usage=False, pictures=False)),
        ("home", Terms(pictures=False)),
    ):
        chosen = catalog.choose(name)
        assert chosen is not None
        assert chosen.terms == terms


async def test_nothing_has_to_be_refused_first() -> None:
    """A server that refuses what Mistral refuses gets an acceptable request at once."""

    def rule(body: Body) -> tuple[int, Any] | None:
        if "stream_options" in body or "max_completion_tokens" in body:
            return refusal("Extra inputs are not permitted", 422)
        return None

    terms = opening_terms(MODEL, "openai-compatible", BY_SLUG["mistral"])
    kind: Kind = "openai-compatible"
    async with strict(kind, rule) as server, made(kind, server.url) as provider:
        assert (await call(provider, ask("hi", terms=terms))).text == "fine"
        assert len(server.asked) == 1


# --- recordings -------------------------------------------------------------------------------


DETAILS = "completion_tokens_details"


def _shape(raw: bytes) -> list[Any]:
    """Return the order of a stream's fields, without repetitions: words, and their chunks.

    A null stands for a missing field; the counts in detail are left out.
    """
    shape: list[Any] = []
    for line in raw.split(b"\n"):
        if not line.startswith(b"data: "):
            continue
        data = line.removeprefix(b"data: ").strip()
        if data == b"[DONE]":
            shape.append("[DONE]")
            continue
        event = msgspec.json.decode(data)
        choice = event["choices"][0] if event["choices"] else {}
        delta = choice.get("delta", {})
        one = (
            sorted(delta),
            delta.get("content", "") is None,
            choice.get("finish_reason"),
            sorted(name for name in event.get("usage") or () if name != DETAILS),
            bool(event.get("timings")),
        )
        if one not in shape:
            shape.append(one)
    return shape


RECORDED = [
    ("llama.cpp", "reasoning"),
    ("litellm", "reasoning"),
    ("transformers", "reasoning"),
    ("llama-cpp-python", "answer"),
]


@pytest.mark.parametrize(("slug", "case"), RECORDED)
async def test_a_server_is_played_as_it_was_recorded(slug: str, case: str) -> None:
    """Chunk by chunk: fields, finish word, place of the counts, end mark."""
    recorded = (FOLDER / slug / "openai-compatible" / f"{case}.http").read_bytes()
    thinks = "[[reasoning]] " if case == "reasoning" else ""
    body = {
        "model": "m",
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": [{"role": "user", "content": f"{thinks}[[echo]] Four it is"}],
    }
    async with (
        Simulator(rate=0, dialect=slug, keyless=True) as simulator,
        aiohttp.ClientSession() as session,
        session.post(f"{simulator.url}/v1/chat/completions", json=body) as response,
    ):
        played = await response.read()
    assert _shape(played) == _shape(recorded)


SPOKEN = [
    ("llama.cpp", "full-context", "context"),
    ("llama.cpp", "loading", "loading"),
    ("llama.cpp", "wrong-key", "auth"),
    ("litellm", "wrong-model", "model"),
    ("litellm", "wrong-key", "auth"),
    ("transformers", "wrong-model", "model"),
    ("llama-cpp-python", "wrong-key", "auth"),
]


@pytest.mark.parametrize(("slug", "case", "topic"), SPOKEN)
async def test_a_server_says_what_was_recorded(slug: str, case: str, topic: str) -> None:
    raw = (FOLDER / slug / "openai-compatible" / f"{case}.http").read_bytes()
    head, _, recorded = raw.partition(b"\r\n\r\n")
    says = f"[[dialect={slug} says={topic}]]"
    body = {"model": "m", "messages": [{"role": "user", "content": says}]}
    async with (
        Simulator(rate=0, keyless=True) as simulator,
        aiohttp.ClientSession() as session,
        session.post(f"{simulator.url}/v1/chat/completions", json=body) as response,
    ):
        assert response.status == int(head.split()[1])
        played = await response.json()
    expected = msgspec.json.decode(recorded)
    assert type(played) is type(expected)
    assert _said(played) == {name: _said(expected).get(name) for name in _said(played)}


def _said(body: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of an error."""
    error = body.get("error")
    return error if isinstance(error, dict) else body


def test_a_mark_names_what_it_is_seen_by() -> None:
    marks = [mark for server in SERVERS for mark in server.marks]
    assert all(isinstance(mark, Mark) and mark.value for mark in marks)
    assert all(mark.value.isdigit() for mark in marks if mark.by == "port")
    assert all(len(mark.value.split()) == 2 for mark in marks if mark.by == "path")
