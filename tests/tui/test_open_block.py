"""A growing block looks at every step as if it were laid out whole."""

import random
import signal
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from palaver_tui.text import code
from palaver_tui.text.document import MarkdownDocument
from palaver_tui.text.markdown import lines as markdown
from palaver_tui.text.markdown import tokens
from palaver_tui.text.open_block import code as growing_code
from palaver_tui.text.open_block import formula as growing_formula
from palaver_tui.text.open_block import layout as growing
from palaver_tui.text.spans import Span

FILLER = "words that make it long enough to be laid out in parts, and not whole at each step, "


def prose(count: int) -> str:
    return "".join(f"word{i % 97} " + ("**b c** `d` " if i % 9 == 0 else "") for i in range(count))


GROWING = {
    "a paragraph without a line feed": prose(150),
    "a paragraph of many lines": prose(150).replace("word7 ", "word7\n").replace("word3 ", "x  \n"),
    "emphasis that never ends": "*it " + "word " * 120,
    "emphasis that ends late": "see *it " + "word " * 120 + "end* " + "word " * 60,
    "emphasis of many lines": ("**" + "bold words " * 30 + "end** plain words ") * 3,
    "code and links across lines": 'see `a b` [the link](https://x.y/z "t") and <https://a.b> '
    * 10,
    "wide characters without blanks": "漢字かな交じり文は、折り返しが必要です。" * 20,
    "words longer than a line": ("x" * 150 + " ") * 8,
    "an item": "- " + prose(120).replace("word7 ", "word7\n  "),
    "an item of many paragraphs": "1. " + (FILLER + "\n\n   ") * 6 + "end\n",
    "a list in an item": f"- {FILLER}\n"
    + "".join(f"  - [ ] item {i} *is* it\n" for i in range(20)),
    "a list four deep": "".join("  " * (i % 4) + f"- level {i % 4} {FILLER}\n" for i in range(8)),
    "code in an item": f"- {FILLER}\n\n  ```python\n"
    + "  x = 'y'  # z\n" * 30
    + "  ```\n  after\n",
    "items that end with panels": f"- {FILLER * 4}\n"
    "  - a\n    ```\n    b\n    ```\n  - c\n    - ```\n      d\n      ```\n    -\n"
    "  - e\n  - | f |\n    |---|\n    | 1 |\n  - g\n    > ```\n    > h\n  - i\n",
    "an item after code": f"- {FILLER * 4}\n  ```\n  b\n  ```\n- cword and more words\n",
    "a paragraph that begins with a link": f"[the link](https://x.y/z) {prose(60)}",
    "a paragraph that begins with a bracket": f"[not a link {prose(60)}",
    "indented code": "".join(f"    x{i} = {i}\n" + "\n" * (i % 7 == 0) for i in range(60))
    + "\ttab\n",
    "a quote": "".join(f"> {prose(12)}\n" + ">\n" * (i % 3 == 0) for i in range(20)),
    "a paragraph with prices": FILLER * 2 + "it is $5 and more, or $6. " + prose(100),
    "a paragraph with formulas": (FILLER + r"so $a*b_1$, \(x_{i} * y\) and \[z \; *w*\] ") * 8,
    "a displayed formula": "$$\n"
    + "".join(f"x_{i} &= *y* \\\\\n- z\n" for i in range(30))
    + "$$\n",
    "a formula over many lines of a paragraph": FILLER * 3
    + "\\("
    + "x y *b* " * 60
    + "\\) and $"
    + "z *w* + 1 " * 50
    + "z$ "
    + prose(60),
    "a paragraph of long formulas": ("$" + "z *w* + 1 " * 25 + "z$ and ") * 6,
    "a displayed formula in an item": f"- {FILLER}\n\n  \\[\n"
    + "  - x *y*\n" * 30
    + "  \\]\n  end\n",
    "lists deeper than there is room": "".join(
        "  " * i + f"- level {i} {FILLER[:30]}\n" for i in range(25)
    ),
    "a list in a quote": "> " + FILLER * 4 + "\n" + "".join(f"> - item {i}\n" for i in range(20)),
}


@pytest.mark.parametrize("width", [50])
@pytest.mark.parametrize("name", GROWING)
def test_a_growing_block_looks_as_it_would_whole_at_every_step(
    name: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(7)
    text = GROWING[name]
    grown, whole = MarkdownDocument(), MarkdownDocument()
    monkeypatch.setattr(whole, "_kind", lambda _text: "")
    at, waiting = 0, 0
    while at < len(text):
        piece = text[at : at + chance.randint(1, 9)]
        at += len(piece)
        for document in (grown, whole):
            document.feed(piece)
            document.layout(width)
        # The start of a line is not shown while its kind is undecided.
        undecided = growing.UNDECIDED.match(text[text.rfind("\n", 0, at) + 1 : at].lstrip("> "))
        waiting += grown.lines != whole.lines
        assert undecided or grown.lines == whole.lines, text[at - 20 : at]
    assert waiting * 10 < len(text)


def cost(monkeypatch: pytest.MonkeyPatch, text: str, step: int, width: int = 80) -> list[int]:
    """Return for each piece the number of characters parsed, highlighted or cut."""
    document, parsed, spent = MarkdownDocument(), [0], []

    def counted(parse: Callable[..., Any]) -> Callable[..., Any]:
        def count(source: str, *more: Any) -> Any:
            parsed[0] += len(source)
            return parse(source, *more)

        return count

    def measured(wrap: Callable[..., Any]) -> Callable[..., Any]:
        def measure(spans: list[Span], width: int) -> Any:
            parsed[0] += sum(len(span.text) for span in spans)
            return wrap(spans, width)

        return measure

    for inline in (False, True):
        parser = tokens._parser(inline=inline)
        monkeypatch.setattr(parser, "parse", counted(parser.parse))
        monkeypatch.setattr(parser, "parseInline", counted(parser.parseInline))
    for module in (growing_code, markdown):
        monkeypatch.setattr(module, "highlight", counted(code.highlight))
    for module, name in ((growing_code, "hard_wrap"), (growing_formula, "wrap")):
        monkeypatch.setattr(module, name, measured(getattr(module, name)))
    for start in range(0, len(text), step):
        parsed[0] = 0
        document.feed(text[start : start + step])
        document.layout(width)
        spent.append(parsed[0])
    return spent


LONG = {
    "a paragraph without a line feed": prose(1500),
    "a paragraph of many lines": prose(1500).replace("word7 ", "word7\n"),
    "emphasis that never ends": "*it " + "word " * 2500,
    "two hundred items": "".join(f"- item {i} with *words*\n" for i in range(200)),
    "an item with a long list": "- top\n"
    + "".join(f"  - item {i} with *words*\n" for i in range(300)),
    "a table of many rows": "| a | b |\n|---|---|\n"
    + "".join(f"| {i} | {i * i} |\n" for i in range(300)),
    "a quote of many lines": "".join(f"> line {i} of it\n" for i in range(300)),
    "a fence of many lines": "```py\n" + "".join(f"x{i} = {i}\n" for i in range(400)),
    "a fence in an item": "- a\n  ```py\n" + "".join(f"  x{i} = {i}\n" for i in range(400)),
    "a line of data in a fence": '```json\n{"a": 1' + "".join(f', "k{i}": {i}' for i in range(900)),
    "lines of data in a fence": "```json\n"
    + ("".join(f'"k{i}": {i}, ' for i in range(150)) + "\n") * 9,
    "a paragraph that begins with a link": f"[the link](https://x.y/z) {prose(1500)}",
    "a paragraph that begins with a bracket": f"[not a link {prose(1500)}",
    "indented code": "".join(f"    x{i} = {i}\n" + "\n" * (i % 9 == 0) for i in range(700)),
    "a displayed formula": "$$\n" + "".join(f"x_{i} &= *y* \\\\\n- z\n" for i in range(900)),
    "formulas in a paragraph": "".join(
        rf"so $a_{i} * b$ and \(x_{{{i}}}\) or $5, " for i in range(300)
    ),
    "definitions": "".join(f"[r{i}]: https://example.org/{i}\n" for i in range(400)),
}


@pytest.mark.parametrize("name", LONG)
def test_a_token_costs_no_more_late_in_a_long_block_than_early(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent = cost(monkeypatch, LONG[name], 24)
    quarter = len(spent) // 4
    early, late = sum(spent[quarter // 2 : quarter]), sum(spent[-quarter // 2 :])
    assert late <= 2 * early, (early, late)
    assert max(spent) < 12_000


CLOSING = {
    "a fence that closes in an item": "- a\n  ```py\n"
    + "".join(f"  x{i} = {i}  # note\n" for i in range(900))
    + "  ```\n"
    + "  and more of it\n" * 900,
    "a table that closes in a quote": "> | a | b |\n> |---|---|\n"
    + "".join(f"> | {i} | {i * i} word word |\n" for i in range(800))
    + ">\n"
    + "> and more of it\n" * 800,
}


@pytest.mark.parametrize("name", CLOSING)
def test_a_long_block_that_closes_in_an_open_one_is_not_laid_out_at_once(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert max(cost(monkeypatch, CLOSING[name], 12)) < 5_000


def test_columns_of_a_growing_table_change_a_bounded_number_of_times() -> None:
    rows = "".join(f"| {'x' * (i % 90)} | {'y' * (i % 70)} | {i} |\n" for i in range(150))
    text = f"| a | b | c |\n|---|---|---|\n{rows}"
    document, heads = MarkdownDocument(), []
    for start in range(0, len(text), 7):
        document.feed(text[start : start + 7])
        document.layout(100)
        heads.append(document.lines[0].text)
    assert sum(before != after for before, after in pairwise(heads)) <= 20


@pytest.mark.parametrize("mark", ["`", "~"])
def test_one_mark_said_for_ever_is_laid_out(mark: str) -> None:
    """Broken models repeat themselves; trying every mark would take minutes."""

    def give_up(*_: object) -> None:
        pytest.fail("still at it after half a minute")

    handler = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(30)
    try:
        document = MarkdownDocument()
        for said in (mark * 100_000, mark * 100_000, "x"):
            document.feed(said)
            document.layout(80)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, handler)
