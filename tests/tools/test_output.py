"""What a model gets of a long output."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from palaverd.tools.output import LEAST, UNKNOWN_WINDOW, budget_of, clipped


def test_a_budget_is_a_third_of_the_window_and_never_small() -> None:
    assert budget_of(None) == UNKNOWN_WINDOW
    assert budget_of(8_000) == LEAST
    assert budget_of(200_000) == 199_998


@given(st.text(max_size=300), st.integers(12, 400))
def test_head_and_tail_are_kept_as_they_are(text: str, budget: int) -> None:
    said = clipped(text, budget, "Here.")
    whole = text.encode("utf-8", "replace").decode()
    if len(whole.encode()) <= budget:
        assert said == text
        return
    head, _, rest = said.partition("\n[")
    mark, _, tail = rest.rpartition(" Here.]\n")
    head = said[: said.index(f"\n[{mark} Here.]\n")]
    assert whole.startswith(head)
    assert whole.endswith(tail)
    assert len(head.encode()) + len(tail.encode()) <= budget
    left_out = len(whole.encode()) - len(head.encode()) - len(tail.encode())
    assert mark == f"{left_out:,} bytes are left out here."
