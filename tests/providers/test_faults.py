"""Every fault of the simulator, through the real SDKs over real sockets, in three protocols."""

from __future__ import annotations

import socket

import pytest

from palaverd.providers.neutral import Provider
from palaverd.simulator.faults import FAULTS
from providers.calling import KEY, Kind, call, made

# The expected kind and status of each fault. Faults without a row do not end a call by
# themselves: they are in `BENIGN`, or need a guard (test_guards).
EXPECTED: dict[str, tuple[str, int | None]] = {
    "400": ("config", 400),
    "401": ("auth", 401),
    "402": ("usage_limit", 402),
    "403": ("auth", 403),
    "404": ("config", 404),
    "408": ("timeout", 408),
    "413": ("context_overflow", 413),
    "422": ("config", 422),
    "429": ("rate_limit", 429),
    "quota": ("usage_limit", 429),
    "context": ("context_overflow", 400),
    "500": ("server_error", 500),
    "502": ("timeout", 502),
    "503": ("timeout", 503),
    "loading": ("loading", 503),
    "504": ("timeout", 504),
    "529": ("overloaded", 529),
    "leak": ("config", 400),
    "redirect": ("config", 307),
    "wrong-type": ("config", None),
    "error": ("overloaded", None),
    "close": ("timeout", None),
    "cut": ("timeout", None),
    "reset": ("timeout", None),
    "refuse": ("timeout", None),
    "garbage": ("server_error", None),
    "bad-utf8": ("server_error", None),
    "flood": ("generic", None),
    "endless-event": ("generic", None),
    "filter": ("content_filter", None),
}
BENIGN = {"stay-open", "split", "duplicate"}
# Without its terminal event an answer is complete if a finish word came before; in Responses it is
# in the terminal event itself.
WORDLESS = {"no-terminal"}
# Complete for the protocol; that the answer is empty is for generation to judge.
EMPTY = {"empty"}
GUARDED = {"silence", "pings"}
# Faults inside a stream happen at its very beginning, in a word, and near its end.
POSITIONED = {"error", "close", "cut", "reset", "garbage", "bad-utf8"}
CASES = [
    pytest.param(
        name, f"[[{name}{f' after={at}' if name in POSITIONED else ''}]]", id=f"{name}@{at}"
    )
    for name in EXPECTED
    for at in ((0, 3, 40) if name in POSITIONED else (0,))
]

ARGUMENTS = '{"path":"a/b.py","text":"\\u00e9\\n\\"quoted\\"","more":{"x":null,"y":-1.5e3}}'


def test_every_fault_is_tested() -> None:
    assert EXPECTED.keys() | BENIGN | GUARDED | EMPTY | WORDLESS == FAULTS.keys()


@pytest.mark.parametrize(("name", "directive"), CASES)
async def test_a_fault_is_classified(provider: Provider, name: str, directive: str) -> None:
    error = (await call(provider, f"{directive} [[length=60]] tell me a story")).error
    assert error is not None
    assert (error.kind, error.status_code) == EXPECTED[name]
    assert error.provider == "acme"
    assert error.model == "sim-large"
    assert KEY not in str(error)


async def test_an_empty_answer_is_whole_and_empty(provider: Provider) -> None:
    outcome = await call(provider, "[[empty]] hello")
    assert outcome.completed is not None
    assert outcome.completed.finish == "stop"
    assert outcome.blocks == []


async def test_a_finish_word_makes_an_answer_whole(provider: Provider, kind: Kind) -> None:
    outcome = await call(provider, "[[no-terminal]] [[echo]] all of it")
    assert outcome.text == "all of it"
    if kind == "openai":
        assert outcome.error is not None
        assert (outcome.error.kind, outcome.error.retryable) == ("timeout", True)
    else:
        assert outcome.completed is not None
        assert outcome.completed.finish == "stop"
        assert outcome.completed.usage.output_tokens == 3


async def test_arguments_are_the_same_however_they_are_cut(provider: Provider) -> None:
    # The simulator's cuts come from its seed and the prompt.
    for number in range(12):
        split = "" if number else "[[split]] [[length=9]]"
        prompt = f"{split} [[tool=write args={ARGUMENTS}]] write {number}"
        blocks = (await call(provider, prompt)).blocks
        assert [b.text for b in blocks if b.kind == "tool_call"] == [ARGUMENTS]


@pytest.mark.parametrize("name", ["429", "500", "529", "error", "context"])
async def test_a_failure_names_the_request(provider: Provider, name: str) -> None:
    error = (await call(provider, f"[[{name}]] hello")).error
    assert error is not None
    assert error.request_id is not None
    assert error.request_id.startswith("req_sim")
    assert error.detail


@pytest.mark.parametrize("name", sorted(BENIGN))
async def test_a_harmless_oddity_changes_nothing(provider: Provider, name: str) -> None:
    outcome = await call(provider, f"[[{name}]] [[echo]] naïve 🙂 words — all of them")
    assert outcome.error is None
    assert outcome.text == "naïve 🙂 words — all of them"


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("retry-after=3", 3000),
        ("retry-after=0.5", 500),
        ("retry-after-ms=1234", 1234),
        ("retry-after-ms=1234 retry-after=9", 1234),
        ("retry-date=30", 30_000),
        ("retry-after=soon", None),
    ],
)
async def test_hints_arrive(provider: Provider, parameters: str, expected: int | None) -> None:
    error = (await call(provider, f"[[429 {parameters}]] hello")).error
    assert error is not None
    assert error.retry_after_ms == expected


async def test_passing_trouble_passes(provider: Provider) -> None:
    kinds = [(await call(provider, "[[529 times=2]] [[echo]] at last")) for _ in range(3)]
    assert [outcome.error and outcome.error.kind for outcome in kinds] == [
        "overloaded",
        "overloaded",
        None,
    ]
    assert kinds[2].text == "at last"


async def test_nobody_listens_there(kind: Kind) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        async with made(kind, url) as provider:
            error = (await call(provider, "hello")).error
    assert error is not None
    assert (error.kind, error.retryable) == ("timeout", True)
    assert error.message == "acme does not accept connections. Is it running?"


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "127.0.0.1:1", "http://[::1"])
async def test_a_bad_address_is_a_matter_of_configuration(kind: Kind, url: str) -> None:
    from palaverd.failures import ProviderFailure

    try:
        async with made(kind, url) as provider:
            error = (await call(provider, "hello")).error
    except ProviderFailure as failure:
        error = failure.error
    assert error is not None
    assert error.kind == "config"


async def test_without_a_key_nothing_is_sent(kind: Kind, simulator: object) -> None:
    async with made(kind, simulator.url, api_key=None) as provider:  # type: ignore[attr-defined]
        error = (await call(provider, "hello")).error
    assert error is not None
    if kind == "openai-compatible":
        # Such servers need no key; this one does.
        assert error.kind == "auth"
        assert "Authorization" not in simulator.requests[0].headers  # type: ignore[attr-defined]
    else:
        assert error.kind == "missing_key"
        assert "ACME_API_KEY" in error.message
        assert not simulator.requests  # type: ignore[attr-defined]
