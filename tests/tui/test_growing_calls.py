"""An unfolded call with streamed arguments lays out each part once, to the lines of the whole."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver_tui.text import code
from palaver_tui.text.open_block import code as growing_code
from palaver_tui.transcript.calls import cache as call_keep
from palaver_tui.transcript.calls.arguments import Arguments, parsed
from palaver_tui.transcript.calls.call import CallBlock
from palaver_tui.transcript.folds import FoldKey, Folds
from support.examples import examples

OPEN = Folds(frozenset({"call"}))
WHOLE = OPEN.turn(FoldKey("rest", "c1"))
WIDTH = 80

CODE = "".join(f"def f{n}(x):\n    '''text {n}'''\n\treturn x + {n}  # note\n" for n in range(120))
OLD = "".join(f"x{n} = {n}\n" * (n % 3) for n in range(90))
CALLS = {
    "a short file": ("write_file", {"path": "a.py", "content": CODE[:900]}),
    "a long file": ("write_file", {"path": "a.py", "content": CODE}),
    "a file with its path last": ("write_file", {"content": CODE, "path": "a.py"}),
    "a file of wide characters": (
        "write_file",
        {"path": "a", "content": "漢字👍🏽e\u0301\r\n" * 60},
    ),
    "a long command": ("execute", {"command": CODE, "timeout": 3}),
    "any tool": ("notes", {"text": CODE, "row": "word " * 600, "tags": ["a"] * 9, "n": 3}),
    "an edit": (
        "edit_files",
        {"edits": [{"path": "a.py", "old_text": OLD, "new_text": OLD.replace("1", "7")}]},
    ),
    "edits of several files": (
        "edit_files",
        {
            "edits": [
                {"path": f"{n % 2}.py", "old_text": OLD[: n * 99], "new_text": OLD[n : n * 70]}
                for n in range(6)
            ]
        },
    ),
    "no object": ("notes", ["x"] * 90),
}


def told(block: CallBlock, text: str, folds: Folds, step: int) -> CallBlock:
    """Send a call its arguments in steps; check the lines against the changes that it reports."""
    shown: list[Any] = []
    for end in [*range(1, len(text), step), len(text)]:
        block.show(folds, arguments=text[:end], state="writing")
        changed = block.layout(WIDTH)
        shown = shown[:changed] + block.lines[changed:]
        assert shown == block.lines
    return block


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("folds", [OPEN, WHOLE])
@pytest.mark.parametrize("name", CALLS)
def test_arguments_in_any_pieces_end_in_the_lines_of_the_whole(
    name: str, folds: Folds, ascii_only: bool
) -> None:
    tool, arguments = CALLS[name]
    text = json.dumps(arguments, ensure_ascii=ascii_only)
    block = told(CallBlock("c1", tool), text, folds, random.Random(name).randint(5, 60))
    at_once = CallBlock("c1", tool)
    for one in (block, at_once):
        one.show(folds, arguments=text, state="waiting")
        one.layout(WIDTH)
    assert block.lines == at_once.lines
    assert block.unfolded(WIDTH) == at_once.unfolded(WIDTH)


def test_an_edit_that_is_being_written_shows_what_goes_and_what_comes_so_far() -> None:
    edit = {"path": "a.py", "old_text": "one\ntwo\n", "new_text": "one\nthree\nfour"}
    second = {"path": "a.py", "old_text": "five\nsix\n", "new_text": "seven"}
    text = json.dumps({"edits": [edit, second]})
    block = CallBlock("c1", "edit_files")
    seen = {}
    for end in range(len(text)):
        block.show(OPEN, arguments=text[:end], state="writing")
        block.layout(WIDTH)
        seen[end] = ["".join(line.text.split()) for line in block.lines[1:-1]]
    for words, shown in {
        '"one\\ntw': ["-one", "-tw"],
        '"one\\nthr': ["-one", "-two", "+one", "+thr"],
        "fou": ["-one", "-two", "+one", "+three", "+fou"],
        "five\\nsi": ["one", "-two", "+three", "+four", "⋮", "-five", "-si"],
        "sev": ["one", "-two", "+three", "+four", "⋮", "-five", "-six", "+sev"],
    }.items():
        assert seen[text.index(words) + len(words)] == shown
    block.show(OPEN, arguments=text, state="waiting")
    block.layout(WIDTH)
    assert ["".join(line.text.split()) for line in block.lines[1:-1]] == [
        "one",
        "-two",
        "+three",
        "+four",
        "⋮",
        "-five",
        "-six",
        "+seven",
    ]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.sampled_from('a"\\\n\t👍é/,:{}[] ')),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@examples(200)
@given(st.dictionaries(st.text(max_size=5), values, max_size=4), st.booleans(), st.data())
def test_arguments_read_bit_by_bit_say_what_they_say_at_once(
    value: dict[str, Any], ascii_only: bool, data: st.DataObject
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    cuts = data.draw(st.lists(st.integers(1, len(text)), max_size=12))
    read = Arguments()
    for cut in [*sorted(cuts), len(text)]:
        assert read.values(text[:cut]) == parsed(text[:cut])
    assert json.dumps(read.values(text)) == json.dumps(value)
    assert read.values(text[: cuts[0]] if cuts else "{") == parsed(text[: cuts[0]] if cuts else "{")


def test_half_a_character_is_not_shown() -> None:
    text = json.dumps({"command": "ab👍"})
    whole = {"command": "ab👍"}
    for end in range(text.index("ab") + 2, len(text) - 2):
        assert parsed(text[:end]) == {"command": "ab"}
    assert parsed(text[:-2]) == whole


def spent(monkeypatch: pytest.MonkeyPatch, tool: str, arguments: Any) -> list[int]:
    """Return for each token the number of characters highlighted, cut, drawn or compared."""
    counts = [0]

    def counted(function: Callable[..., Any], size: Callable[..., int]) -> Callable[..., Any]:
        def count(*what: Any, **how: Any) -> Any:
            counts[-1] += size(*what)
            return function(*what, **how)

        return count

    for module in (call_keep, growing_code):
        monkeypatch.setattr(
            module, "highlight", counted(code.highlight, lambda source, _language: len(source))
        )
    cut = counted(
        vars(growing_code)["hard_wrap"], lambda spans, _width: sum(len(s.text) for s in spans)
    )
    monkeypatch.setattr(growing_code, "hard_wrap", cut)
    row = counted(vars(call_keep)["row_lines"], lambda _sign, text, _width: len(text))
    monkeypatch.setattr(call_keep, "row_lines", row)
    between = counted(vars(call_keep)["hunk_between"], lambda _file, old, new: len(old) + len(new))
    monkeypatch.setattr(call_keep, "hunk_between", between)
    text = json.dumps(arguments)
    block = CallBlock("c1", tool)
    for end in range(0, len(text), 12):
        counts.append(0)
        block.show(OPEN, arguments=text[:end], state="writing")
        block.layout(WIDTH)
    return counts


LONG = {
    "a file": ("write_file", {"path": "a.py", "content": CODE * 4}),
    "a file of one line": ("write_file", {"path": "a.json", "content": "[1, 2, 3], " * 2000}),
    "a command": ("execute", {"command": CODE * 4}),
    "any tool": ("notes", {"text": CODE * 4}),
    "an edit": ("edit_files", {"edits": [{"path": "a", "old_text": OLD * 9, "new_text": OLD * 9}]}),
}


@pytest.mark.parametrize("name", LONG)
def test_a_token_of_arguments_costs_no_more_late_than_early(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = spent(monkeypatch, *LONG[name])
    assert max(found) < 4_000
    quarter = len(found) // 4
    assert sum(found[-quarter:]) <= 2 * sum(found[:quarter])
