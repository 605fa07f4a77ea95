"""Emphasis in languages that do not separate words with spaces."""

import pytest

from palaver_tui.text.markdown.emphasis import is_cjk
from tui.test_layout import whole


def marked(text: str) -> list[tuple[str, str]]:
    """Return the emphasized spans: b, i and s for bold, italic and strike, and the text."""
    faces = [span for line in whole(text, 200) for span in line.spans]
    return [
        ("".join(k for k, on in zip("bis", (f.bold, f.italic, f.strike), strict=True) if on), t)
        for t, f in faces
        if f.bold or f.italic or f.strike
    ]


STRONG = [
    ("含**「重点」**内容，以及**历经10年发展，**年。", ["「重点」", "历经10年发展，"]),
    ("**开源：**代码", ["开源："]),
    ("これは**重要（必須）**です。", ["重要（必須）"]),
    ('**"강조"**입니다', ['"강조"']),
    ("**이 용어(This term)**를", ["이 용어(This term)"]),
    ("我可以强调**这个`code`**吗", ["这个", "code"]),
    ("**わ〜い！**問題なし！", ["わ〜い！"]),
    ("价格**（$5）**元", ["（$5）"]),
    ("a**「b」**c", ["「b」"]),
    ("**漢字.**です", ["漢字."]),
    ("**“引用”**后", ["“引用”"]),
    ("**한국어!**abc", ["한국어!"]),
    ("ｱ**ｲ｡**ｳ", ["ｲ｡"]),
    ("**English:**next", ["English:"]),
    ("**Note!**text and **(b)**c", ["Note!", "(b)"]),
    ("- **Warning:**text", ["Warning:"]),
    ("(**a.**b)", ["a."]),
]


@pytest.mark.parametrize(("text", "strong"), STRONG)
def test_strong_emphasis_beside_punctuation_is_as_meant(text: str, strong: list[str]) -> None:
    assert [words for kind, words in marked(text) if "b" in kind] == strong
    assert "*" not in "".join(line.text for line in whole(text, 200))


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("前*「重点」*后", "i", "「重点」"),
        ("前~~「旧」~~后", "s", "「旧」"),
        ("前***「重」***后", "bi", "「重」"),
        ("*「重点」*", "i", "「重点」"),
    ],
)
def test_so_are_other_marks(text: str, kind: str, words: str) -> None:
    assert marked(text) == [(kind, words)]


@pytest.mark.parametrize(
    "text",
    [
        "f(x,**k) and g(y,**o)",
        "(a)**b + (c)**d",
        "x**(n-1) + y**(m-1)",
        "a.**b",
        "2 ** 3 ** 4",
        "漢 ** 字 ** 漢",
        "漢_「字」_漢",
        "snake_case_name",
        "* .** a.**b",
        "🎉**(a)",
        'a*"foo"*',
        "**(**foo)",
    ],
)
def test_marks_that_mean_nothing_stay(text: str) -> None:
    assert marked(text) == []
    assert whole(text, 200)[0].text.strip(" •") == text.removeprefix("* ")


def test_what_is_cjk() -> None:
    for character in "漢あアｱ한ᄀᆨ「」。，（：｡㊀〒￦ｶﾞ𠀀":
        assert is_cjk(character), character
    for character in "aé“”*🎉⌚👍ر→①":
        assert not is_cjk(character), character


@pytest.mark.parametrize(
    "text", ["5~7U × 100~200倍", "(~2000 lines) and (~5000 lines)", "~/a and ~/b"]
)
def test_single_tildes_strike_nothing(text: str) -> None:
    assert marked(text) == []


@pytest.mark.parametrize("written", ["<br>", "<br/>", "<br />", "<BR>"])
def test_a_break_in_a_cell_breaks_the_line_there_and_is_text_elsewhere(written: str) -> None:
    lines = [
        line.text for line in whole(f"| a{written}b | c |\n|---|---|\n| d | `{written}` |", 60)
    ]
    assert [line.split()[1] for line in lines[1:3]] == ["a", "b"]
    assert lines[1].index("c") == len("│ a │ ")
    assert written in lines[4]
    assert whole(f"a{written}b", 60)[0].text == f"a{written}b"
