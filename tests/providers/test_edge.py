"""Error bodies in the shapes that are about, and exceptions as signals."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver.wire.errors import KINDS
from palaverd.failures import classify
from palaverd.failures.signals import MAX_BODY_BYTES
from palaverd.providers.edge import Caller, ErrorFields, error_fields, signals_from

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
        ({"error": {"type": "t", "details": {"error_code": "c"}}}, ErrorFields("t", "c")),
        ("plain words", ErrorFields(message="plain words")),
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
