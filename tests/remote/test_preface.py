"""The line after which a daemon speaks: found after any noise, and only where it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver.remote.preface import LINE, NOISE, Finder, NoPrefaceError, Preface, line

PREFACE = Preface("1.2.3", attached=True, note="It ends – soon.")


def found(data: bytes, sizes: list[int]) -> tuple[Preface, bytes] | None:
    """Feed data in pieces; return what was found, with all that followed it."""
    finder = Finder()
    for size in [*sizes, len(data)]:
        piece, data = data[:size], data[size:]
        if piece and (it := finder.take(piece)) is not None:
            return it[0], it[1] + data
    return None


SIZES = st.lists(st.integers(1, 40), max_size=30)
NOISES = st.binary(max_size=500).filter(lambda noise: b"palaver-stdio" not in noise)


@given(NOISES, st.binary(max_size=100), SIZES)
def test_it_is_found_behind_any_noise_however_it_is_split(
    noise: bytes, behind: bytes, sizes: list[int]
) -> None:
    assert found(noise + line(PREFACE) + behind, sizes) == (PREFACE, behind)


def test_what_only_looks_like_it_is_noise() -> None:
    looks_like = b"palaver-stdio is great\n# palaver-stdio {}\npalaver-stdio {\npalaver-stdio 7\n"
    assert found(looks_like + line(PREFACE), []) == (PREFACE, b"")
    assert found(b"palaver-stdio " + b"x" * LINE + line(PREFACE), []) == (PREFACE, b"")


def test_what_a_newer_one_adds_is_left_alone() -> None:
    newer = b'palaver-stdio {"version":"9","protocol":2,"colour":"red"}\n'
    assert found(newer, []) == (Preface("9", protocol=2), b"")


def test_noise_without_end_is_given_up_with_its_last_line() -> None:
    finder = Finder()
    noise = b"one line\nLast \x1b[31mline.\n"
    while len(finder.noise) + len(noise) <= NOISE:
        assert finder.take(noise) is None
    with pytest.raises(NoPrefaceError) as error:
        finder.take(noise)
    assert error.value.said == "Last [31mline."
    assert len(finder.noise) < NOISE + 100
