r"""TeX formulas are shown as they were written, and prices are not taken for formulas."""

import pytest

from palaver_tui.text.document import MarkdownDocument
from palaver_tui.text.markdown.inline import FORMULA_FACE
from palaver_tui.text.markdown.symbols import SYMBOLS
from tui.test_layout import whole
from tui.test_layout_source import find, laid


def shown(text: str, width: int = 100) -> str:
    return "\n".join(line.text for line in whole(text, width))


def formulas(text: str) -> list[str]:
    spans = [span for line in whole(text, 100) for span in line.spans]
    return [span.text for span in spans if span.face.ink == FORMULA_FACE.ink]


IN_LINE = [
    r"$\hat{x}_{i} = \bar{y}_{j}$",
    r"\(x \in \{1, 2\}\)",
    r"\[ a \; , A \& B \]",
    "$a*b*c$",
    "$$x_1 * y_1$$",
    r"$$ x \\ y $$",
    r"\(\text{a } \\ \(b\)",
    r"$\$5 < x$",
    r"$a_{n}$",
    r"$x^{2}y$",
    r"\begin{cases} *a* \\ _b_ \end{cases}",
    "$[a](b)$",
    "$a <b> &amp; c$",
    "$x~~y~~z$",
]


@pytest.mark.parametrize("formula", IN_LINE)
@pytest.mark.parametrize(
    "around",
    ["{}", "say {} and", "({}).", "因{}是", "**bold {}**", "- {}", "> {}", "1. a {}\n   b", "# {}"],
)
def test_a_formula_in_a_line_stands_as_written(formula: str, around: str) -> None:
    text = around.format(formula)
    assert formula in shown(text)
    assert formula in formulas(text)


@pytest.mark.parametrize("formula", IN_LINE)
def test_a_formula_in_a_table_stands_as_written(formula: str) -> None:
    assert formula in shown(f"| a | {formula} |\n|---|---|\n| *b* | {formula} |\n")


@pytest.mark.parametrize("formula", IN_LINE)
def test_a_formula_is_copied_as_it_was_written_and_in_parts(formula: str) -> None:
    document = laid(f"one {formula} two")
    start, end = find(document, formula)
    assert document.source_between(start, end) == formula
    assert document.source_between((start[0], start[1] + 1), (end[0], end[1] - 1)) == formula[1:-1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$5 and $6", "$5 and $6"),
        ("$20,000 and $30,000 *each*", "$20,000 and $30,000 each"),
        ("**$5** or **$6**", "$5 or $6"),
        ("from $5/*kg* to $6/*kg*", "from $5/kg to $6/kg"),
        ("$ *a* $", "$ a $"),
        ("$*a* $", "$a $"),
        ("2000$ *or* 4$", "2000$ or 4$"),
        (r"\$*a*\$", "$a$"),
        ("$*a*", "$a"),
        ("$HOME **and** $PATH", "$HOME and $PATH"),
        ("**$HOME** or **$PATH**", "$HOME or $PATH"),
        ("pay $5 (`US$`) *now*", "pay $5 (US$) now"),
        ("${A} *or* ${B}", "${A} or ${B}"),
        ("set $A to `$B` *now*", "set $A to $B now"),
        ("`$a*` and `*b$`", "$a* and *b$"),
        (r"\\(*a*\\)", r"\(a\)"),
        (r"\(*a*", "(a"),
        ("[x](https://a.b/$c$)", "x"),
        ("$$ *a*", "$$ a"),
        ("$", "$"),
        ("    $$\n    *x*", "$$"),
        ("```\n$x$\n```", "$x$"),
    ],
)
def test_what_is_no_formula_is_not_taken_for_one(text: str, expected: str) -> None:
    assert expected in shown(text)
    if "```" not in text and "`" not in text and "    " not in text:
        assert formulas(text) == []


DISPLAYED = [
    [
        "$$",
        r"\begin{aligned}",
        r"a &= *b* \\",
        "- c &= d",
        "= e",
        "# f",
        "1. g",
        r"\end{aligned}",
        "$$",
    ],
    ["\\[", "> x < y", "***", "| a | b |", "```", "\\]"],
    [r"\begin{align*}", "x &= y", "- z", r"\end{align*}"],
    ["$$ ", "x", "y$$"],
]


@pytest.mark.parametrize("lines", DISPLAYED)
@pytest.mark.parametrize("margin", ["", "- ", "> ", "> 1. "])
def test_the_lines_of_a_displayed_formula_keep_together(lines: list[str], margin: str) -> None:
    rest = margin.replace("- ", "  ").replace("1. ", "   ")
    text = "\n".join((rest if number else margin) + line for number, line in enumerate(lines))
    for before, after in [("", ""), ("so\n\n", "\n\nthen *more*\n"), ("", f"\n{rest}*end*\n")]:
        laid_out = [line.text.lstrip("▎ •1.").rstrip() for line in whole(before + text + after, 60)]
        wanted = [line.lstrip("▎ •1.").rstrip() for line in lines]
        at = laid_out.index(wanted[0])
        assert laid_out[at : at + len(wanted)] == wanted
        assert "*" not in "".join(laid_out[at + len(wanted) :])


def test_a_displayed_formula_ends_a_paragraph_and_stands_alone() -> None:
    assert shown("where\n$$\nx\n$$\nand\n\\[ y \\]\nor\n$$z$$\nend") == (
        "where\n\n$$\nx\n$$\n\nand\n\n\\[ y \\]\n\nor\n\n$$z$$\n\nend"
    )


@pytest.mark.parametrize("margin", ["", "- ", "> "])
def test_the_rows_of_a_displayed_formula_stay_set_in(margin: str) -> None:
    rows = ["$$", "  x &= y", "    + z", "$$"]
    rest = margin.replace("- ", "  ")
    text = "\n".join((rest if number else margin) + row for number, row in enumerate(rows))
    inner = {"": 0, "- ": 3, "> ": 2}[margin]
    assert [line.text[inner:] for line in whole(text, 60)] == rows
    assert shown("$$\n" + " " * 40 + "x\n$$", 20) == "$$\nx\n$$"


def test_a_formula_that_does_not_end_goes_to_the_next_blank_line() -> None:
    assert shown("$$\nx *y*\n- z\n\n*end* $$\n") == "$$\nx *y*\n- z\n\nend $$"


@pytest.mark.parametrize("lines", DISPLAYED)
def test_a_displayed_formula_looks_while_it_is_written_as_it_will(lines: list[str]) -> None:
    text = "\n".join(lines) + "\n"
    document, seen = MarkdownDocument(), []
    for character in text:
        document.feed(character)
        document.layout(60)
        seen.append([line.text for line in document.lines])
    final = [line.text for line in whole(text, 60)]
    # From the second line on, lines that are shown do not change.
    for lines_then in seen[len(lines[0]) + 1 :]:
        assert lines_then[:-1] == final[: len(lines_then) - 1]


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (r"A $\rightarrow$ B", "A → B"),
        (r"A \(\to\) B", "A → B"),
        (r"$\alpha$-decay", "α-decay"),
        (r"2 $\times$ 3", "2 × 3"),
        ("$x^2$, $10^{-3}$, $x_{12}$", "x², 10⁻³, x₁₂"),
        (r"$\sigma^2$ and $\chi_0$", "σ² and χ₀"),
        (r"$90^\circ$ or 20$^{\circ}$C", "90° or 20°C"),
        (r"$\nosuch$ $\hat$", r"$\nosuch$ $\hat$"),
        ("$x^n$ $x^{2n}$ $x^2y$ $ab^2$", "$x^n$ $x^{2n}$ $x^2y$ $ab^2$"),
        (r"$\alpha + \beta$", r"$\alpha + \beta$"),
        (r"$$\alpha$$", r"$$\alpha$$"),
    ],
)
def test_only_a_formula_that_unicode_has_is_shown_in_it(formula: str, expected: str) -> None:
    assert shown(formula) == expected


def test_a_symbol_is_copied_as_the_formula_it_was() -> None:
    document = laid(r"A $\rightarrow$ B")
    assert document.source_between((0, 2), (0, 3)) == r"$\rightarrow$"
    assert document.plain_between((0, 0), (0, 5)) == "A → B"


def test_every_symbol_is_one_character_of_one_cell() -> None:
    for name, symbol in SYMBOLS.items():
        assert name.isalpha()
        assert len(symbol) == 1
        assert shown(rf"$\{name}$") == symbol
