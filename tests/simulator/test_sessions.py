"""Sessions: read from files, played step by step, and refused with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from palaverd.simulator.prompt import Prompt
from palaverd.simulator.sessions import Called, Session, SessionError, Step, read_session

MARK = "[[session="


def test_a_session_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "fix.toml"
    file.write_text(
        '[[steps]]\ntext = "Look."\ncalls = [{tool = "read_file", arguments = {path = "a"}}]\n'
        '[[steps]]\ntext = "Done."\n'
    )
    assert read_session(file) == Session(
        (Step("Look.", (Called("read_file", {"path": "a"}),)), Step("Done."))
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[steps]]\ntxt = 1\n", "unknown field `txt`"),
        ("steps = 7", "Expected `array`"),
        ("[[", "Invalid"),
    ],
)
def test_a_broken_file_is_refused_with_its_name(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "broken.toml"
    file.write_text(text)
    with pytest.raises(SessionError, match=r"broken\.toml: ") as refused:
        read_session(file)
    assert said in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="cannot be read: No such file"):
        read_session(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("texts", "answers"),
    [
        ([("user", "hello")], None),
        ([("user", "[[session=x]] go")], 0),
        # Anthropic: blocks of one answer; a result is a message of the user without a text.
        ([("user", "[[session=x]]"), ("assistant", "a"), ("assistant", ""), ("user", "")], 1),
        # OpenAI, with a steered message behind the results.
        (
            [
                *[("user", "[[session=x]]"), ("assistant", ""), ("tool", ""), ("user", "steer")],
                *[("assistant", ""), ("assistant", ""), ("tool", ""), ("tool", "")],
            ],
            2,
        ),
        # The last one counts.
        ([("user", "[[session=x]]"), ("assistant", "a"), ("user", "[[session=y]]")], 0),
    ],
)
def test_the_answers_of_a_session_are_counted(
    texts: list[tuple[str, str]], answers: int | None
) -> None:
    assert Prompt(model="m", texts=texts, stream=True).answers_after(MARK) == answers
