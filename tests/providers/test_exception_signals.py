"""Signals from exceptions, and from error bodies in the known formats."""

from __future__ import annotations

import asyncio
import errno
import os
from contextlib import suppress
from datetime import UTC, datetime

import httpx2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver.wire.errors import KINDS, ChatError
from palaverd.failures import classify
from palaverd.failures.classify import RETRYABLE
from palaverd.failures.signals import MAX_BODY_BYTES, Guard
from palaverd.failures.wording import NO_DESCRIPTOR
from palaverd.providers.exception_signals import Caller, ErrorFields, error_fields, signals_from

NOW = datetime(2025, 1, 1, tzinfo=UTC)
CALLER = Caller("acme", "ACME_API_KEY", ("tr0ub4dor-3",))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"type": "error", "error": {"type": "t", "message": "m"}, "request_id": "r"},
            ErrorFields("t", None, "m", "r"),
        ),
        ({"error": {"type": "t", "code": "c", "message": "m"}}, ErrorFields("t", "c", "m")),
        ({"type": "t", "code": "c", "message": "m", "param": None}, ErrorFields("t", "c", "m")),
        ([{"error": {"code": 400, "message": "m"}}], ErrorFields(None, "400", "m")),
        ({"error": "m"}, ErrorFields(message="m")),
        ({"detail": "m"}, ErrorFields(message="m")),
        ({"detail": [{"loc": ["model"]}]}, ErrorFields(message='[{"loc":["model"]}]')),
        ({"errors": [{"message": "m"}]}, ErrorFields(message='[{"message":"m"}]')),
        (
            {"error": {"message": "m", "code": 400, "metadata": {"raw": '{"error":"n"}'}}},
            ErrorFields(None, "400", 'm: {"error":"n"}'),
        ),
        ({"error": {"metadata": {"raw": {"a": 1}}}}, ErrorFields(message='{"a":1}')),
        ({"error": {"message": "m", "metadata": ["raw"]}}, ErrorFields(message="m")),
        ({"error": {"type": "t", "details": {"error_code": "c"}}}, ErrorFields("t", "c")),
        ("plain words", ErrorFields(message="plain words")),
        (b'{"error": {"type": "t"}}', ErrorFields("t")),
        (b"\xff\xfe", ErrorFields(message="\ufffd\ufffd")),
        ('{"error": {"message": "m"}}', ErrorFields(message="m")),
        ("x" * (MAX_BODY_BYTES + 1), None),
        ("", None),
        (None, None),
        (7, None),
        ([], None),
        ({}, None),
        ({"error": None}, None),
    ],
)
def test_bodies_are_read(body: object, expected: ErrorFields | None) -> None:
    assert error_fields(body) == expected


DEEP = "[" * 5000
json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "type", "code", "message", "detail", "details"]), inner
        )
    ),
    max_leaves=9,
)


@given(json_like, st.none() | st.integers())
def test_no_body_can_break_the_edge(body: object, status: int | None) -> None:
    error = RuntimeError("oops")
    error.body = body  # type: ignore[attr-defined]
    error.status_code = status  # type: ignore[attr-defined]
    signals = signals_from(error, caller=CALLER, model="m", at=NOW)
    assert classify(signals).kind in KINDS


class Mute(Exception):
    """An exception whose text cannot be read."""

    def __str__(self) -> str:
        raise RuntimeError("no words")

    @property
    def body(self) -> object:
        raise KeyError("body")

    @property
    def status_code(self) -> int:
        raise ValueError("no status")


_CLASSES = (
    Mute,
    ConnectionResetError,
    TimeoutError,
    UnicodeError,
    KeyError,
    asyncio.CancelledError,
)
_attributes = st.fixed_dictionaries(
    {},
    optional={
        "body": json_like
        | st.binary(max_size=40)
        | st.sampled_from([b"\xff" * 70_000, "x" * 70_000, {"error": {"message": object()}}, DEEP]),
        "status_code": st.none() | st.integers(-5, 700) | st.text(max_size=3) | st.booleans(),
        "response": st.none()
        | st.integers()
        | st.builds(
            httpx2.Response,
            st.sampled_from([200, 307, 404, 429, 503, 529]),
            headers=st.dictionaries(
                st.sampled_from(["Retry-After", "RETRY-AFTER-MS", "Date", "X-Request-Id"]),
                st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=30),
            ),
            content=st.binary(max_size=30) | st.just(b"{" * 70_000),
        ),
    },
)


@st.composite
def chains(draw: st.DrawFn) -> BaseException:
    """Draw some errors, each caused by any other or itself, perhaps in a group."""
    errors: list[BaseException] = []
    for _ in range(draw(st.integers(1, 5))):
        error = draw(st.sampled_from(_CLASSES))(draw(st.text(max_size=30)))
        for name, value in draw(_attributes).items():
            with suppress(AttributeError):  # some have it as a read-only property
                setattr(error, name, value)
        errors.append(error)
    for error in errors:
        error.__cause__ = draw(st.none() | st.sampled_from(errors))
        error.__context__ = draw(st.none() | st.sampled_from(errors))
    if draw(st.booleans()):
        return BaseExceptionGroup("several", errors)
    return errors[0]


@given(
    chains(),
    st.sampled_from([None, "startup", "silence", "pings"]),
    st.booleans(),
)
def test_whatever_is_raised_becomes_a_known_kind(
    error: BaseException, guard: Guard | None, cancelled: bool
) -> None:
    signals = signals_from(
        error, caller=CALLER, model="m", at=NOW, guard=guard, cancelled_by_library=cancelled
    )
    classified = classify(signals)
    assert classified.kind in KINDS
    assert classified.retryable is (classified.kind in RETRYABLE or signals.no_descriptor)
    assert msgspec.json.decode(msgspec.json.encode(classified), type=ChatError) == classified


@pytest.mark.parametrize(
    "cause",
    [
        OSError(errno.EMFILE, os.strerror(errno.EMFILE)),
        OSError(errno.ENFILE, os.strerror(errno.ENFILE)),
        ImportError(f"libx.so: cannot open shared object file: {os.strerror(errno.EMFILE)}"),
    ],
    ids=["of the process", "of the machine", "for a compiled module"],
)
def test_a_missing_file_descriptor_is_told_and_tried_again(cause: Exception) -> None:
    """However a library wraps it."""
    error = httpx2.ConnectError("All connection attempts failed")
    error.__cause__ = cause
    found = classify(signals_from(error, caller=CALLER, model="m", at=NOW))
    assert (found.kind, found.retryable, found.message) == ("generic", True, NO_DESCRIPTOR)


@pytest.mark.parametrize("size", [MAX_BODY_BYTES - 60, MAX_BODY_BYTES + 1])
def test_a_body_counts_up_to_64_kib(size: int) -> None:
    """Beyond that is the type that says more than the status."""
    body = {"error": {"type": "overloaded_error", "message": "x"}}
    error = RuntimeError("failed")
    error.body = body  # type: ignore[attr-defined]
    error.response = httpx2.Response(500, content=b" " * size)  # type: ignore[attr-defined]
    error.status_code = 500  # type: ignore[attr-defined]
    kind = classify(signals_from(error, caller=CALLER, model="m", at=NOW)).kind
    assert kind == ("overloaded" if size <= MAX_BODY_BYTES else "server_error")


@pytest.mark.parametrize("name", ["retry-after-ms", "Retry-After-Ms", "RETRY-AFTER-MS"])
@pytest.mark.parametrize("seconds", ["retry-after", "Retry-After", "RETRY-AFTER"])
def test_hints_are_found_however_their_headers_are_written(name: str, seconds: str) -> None:
    def hint(headers: dict[str, str]) -> int | None:
        error = RuntimeError("slow down")
        error.status_code = 429  # type: ignore[attr-defined]
        error.response = httpx2.Response(429, headers=headers)  # type: ignore[attr-defined]
        return classify(signals_from(error, caller=CALLER, model="m", at=NOW)).retry_after_ms

    assert hint({name: "1500"}) == 1500
    assert hint({seconds: "2.5"}) == 2500
    assert hint({seconds: "9", name: "1500"}) == 1500


numbers = st.sampled_from([400, 401, 404, 408, 429, 500, 502, 503, 504, 529])
places = st.sampled_from(
    [
        "cannot reach 10.0.0.7:{}",
        "https://models.example:{}/v1 is slow",
        "request req_{} was lost",
        "id {}-9f-12",
        "waited {} ms",
        "status {} seconds ago",
        "HTTP {}ms",
        "code {}7",
        "used {} tokens",
        "error code {}.5",
        "status:{}:8080",
    ]
)


@given(numbers, places, st.sampled_from(["", "Sorry: ", "it failed, "]))
def test_a_number_is_a_status_only_where_it_stands_as_one(n: int, place: str, head: str) -> None:
    error = RuntimeError(head + place.format(n))
    classified = classify(signals_from(error, caller=CALLER, model="m", at=NOW))
    assert (classified.kind, classified.status_code) == ("generic", None)


def test_the_cause_says_what_the_outer_error_hides() -> None:
    try:
        try:
            raise ConnectionRefusedError("no")
        except OSError:
            raise RuntimeError("Connection error.") from None
    except RuntimeError as error:
        signals = signals_from(error, caller=CALLER, model="m", at=NOW)
    assert "ConnectionRefusedError" in signals.exceptions
    assert classify(signals).kind == "timeout"


def test_members_of_a_group_are_seen_and_circles_end() -> None:
    inner = ConnectionResetError("reset")
    inner.__context__ = inner
    group = ExceptionGroup("several", [ValueError("x"), inner])
    signals = signals_from(group, caller=CALLER, model="m", at=NOW)
    assert "ConnectionResetError" in signals.exceptions


def test_the_key_is_hidden_wherever_it_appears() -> None:
    error = RuntimeError("tr0ub4dor-3 is wrong")
    error.body = {"error": {"message": "key tr0ub4dor-3", "code": "tr0ub4dor-3"}}  # type: ignore[attr-defined]
    signals = signals_from(error, caller=CALLER, model="m", at=NOW)
    assert "tr0ub4dor" not in repr(signals)
