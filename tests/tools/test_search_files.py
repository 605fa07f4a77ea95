"""`search_files`: what is found, by ripgrep and without it, and what bounds it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from palaverd.tools.failures import ToolError
from palaverd.tools.files.finding.expressions import compiled
from palaverd.tools.files.finding.orders import SearchFiles
from palaverd.tools.files.finding.process import look
from palaverd.tools.files.finding.texts import LARGEST
from palaverd.tools.files.search_files import SEARCH_FILES
from palaverd.tools.workspace import Workspace
from tools.looking import plant, running, searched

FILES: dict[str, str | bytes] = {
    "a.py": "import os\n\ndef first():\n    return 1\n\n\ndef second():\n    return first()\n",
    "sub/b.py": "def third():\n    pass\n",
    "sub/c.txt": "définir le début\nAn END\n",
    ".hidden/d.py": "def hidden():\n",
    ".git/e.py": "def versioned():\n",
    "ignored/f.py": "def ignored():\n",
    ".gitignore": "ignored/\n",
    "binary.py": b"def binary():\0\n",
    "windows.txt": "one def\r\ntwo def\r\n",
    "utf16.txt": "def wide\nplain\n".encode("utf-16"),
    "marked.txt": b"\xef\xbb\xbfdef marked\n",
    "latin.txt": "caf\xe9 def\n".encode("latin-1"),
    "separators.txt": "a\x0cb\x1cc\u2028def\nsecond def\n",
    "empty.txt": "",
    "no-end.txt": "def last",
    "long.txt": "x" * 5000 + " def needle " + "y" * 5000 + "\n",
}
ENGINES = pytest.mark.parametrize("ripgrep", [False, True], ids=["python", "ripgrep"])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return plant(tmp_path / "root", FILES)


@ENGINES
async def test_lines_are_found_by_file_with_their_numbers(root: Path, *, ripgrep: bool) -> None:
    text = await searched(root, SearchFiles(r"^def \w+\(", glob="*.py"), ripgrep=ripgrep)
    assert text.splitlines() == [
        ".hidden/d.py",
        "1:def hidden():",
        "",
        "a.py",
        "3:def first():",
        "7:def second():",
        "",
        "sub/b.py",
        "1:def third():",
        "",
        "[4 lines in 3 files.]",
    ]


@ENGINES
async def test_lines_around_are_shown_once(root: Path, *, ripgrep: bool) -> None:
    asked = SearchFiles("def", path="a.py", context=1)
    text = await searched(root, asked, ripgrep=ripgrep)
    assert text.splitlines()[1:-2] == [
        "2-",
        "3:def first():",
        "4-    return 1",
        "--",
        "6-",
        "7:def second():",
        "8-    return first()",
    ]


@ENGINES
async def test_files_alone_are_shown_with_how_many_lines_fit(root: Path, *, ripgrep: bool) -> None:
    asked = SearchFiles("return", names_only=True)
    assert await searched(root, asked, ripgrep=ripgrep) == "a.py: 2 lines\n[2 lines in 1 file.]"


@ENGINES
async def test_what_is_beyond_the_limit_is_counted(tmp_path: Path, *, ripgrep: bool) -> None:
    root = plant(tmp_path / "root", {f"{n:02}.txt": "hit\n" * 10 for n in range(20)})
    text = await searched(root, SearchFiles("hit", limit=15), ripgrep=ripgrep)
    assert text.count(":hit") == 15
    assert text.endswith("[The first 15 lines are shown, of 200 lines in 20 files.]")
    plant(root, {"many.txt": "hit\n" * 5000})
    text = await searched(root, SearchFiles("hit", limit=15), ripgrep=ripgrep)
    assert text.endswith("[The first 15 lines are shown, of at least 2,215 lines in 21 files.]")
    text = await searched(root, SearchFiles("hit", limit=5, names_only=True), ripgrep=ripgrep)
    assert text.splitlines()[4] == "04.txt: 10 lines"
    assert "The first 5 files are shown, of at least 2,205 lines in 21 files." in text


@ENGINES
async def test_of_a_long_line_what_is_around_the_hit_is_shown(root: Path, *, ripgrep: bool) -> None:
    text = await searched(root, SearchFiles("needle", path="long.txt"), ripgrep=ripgrep)
    [_, line, *_] = text.splitlines()
    assert line.startswith("1:[4,905 letters] xxxx")
    assert "x def needle y" in line
    assert line.endswith("y [4,707 letters]")
    assert len(line) < 450


@ENGINES
async def test_nothing_is_found(root: Path, *, ripgrep: bool) -> None:
    assert await searched(root, SearchFiles("nowhere"), ripgrep=ripgrep) == (
        "[Nothing was found.]\n[Not searched: 1 binary file.]\n"
        "[Not searched: 1 entry that .gitignore names; with ignored=true they are.]"
    )
    asked = SearchFiles("ignored", ignored=True)
    assert "ignored/f.py" in await searched(root, asked, ripgrep=ripgrep)


@ENGINES
async def test_pipes_devices_and_links_are_not_read(root: Path, *, ripgrep: bool) -> None:
    outside = plant(root.parent / "outside", {"secret.txt": "def secret\n"})
    os.mkfifo(root / "pipe.py")
    (root / "link.py").symlink_to(outside / "secret.txt")
    (root / "folder").symlink_to(outside)
    text = await searched(root, SearchFiles("def|secret", names_only=True), ripgrep=ripgrep)
    assert "secret" not in text
    assert "link.py" not in text
    with pytest.raises(ToolError, match=r"pipe\.py cannot be read as a file\."):
        await searched(root, SearchFiles("x", path="pipe.py"), ripgrep=ripgrep)
    with pytest.raises(ToolError, match="outside of the workspace"):
        await searched(root, SearchFiles("x", path="link.py"), ripgrep=ripgrep)


# What both engines understand, on every kind of file: the answers are the same, byte for byte.
BOTH = [
    SearchFiles("def"),
    SearchFiles(r"\bdef\b", context=2),
    SearchFiles("DEF", ignore_case=True),
    SearchFiles("ÉF", ignore_case=True),
    SearchFiles(r"^\w+ le d.but$"),
    SearchFiles("def$"),
    SearchFiles("^$"),
    SearchFiles("x*"),
    SearchFiles(r"(first|third)\(\)"),
    SearchFiles("()", literal=True),
    SearchFiles("-def", literal=True),
    SearchFiles("--"),
    SearchFiles(r"^def \S+$", glob="*.txt"),
    SearchFiles("def", glob="!*.{py,txt}"),
    SearchFiles("def", glob="sub/*"),
    SearchFiles("def", path="sub", glob="b.*"),
    SearchFiles("def", path="ignored"),
    SearchFiles("def", path="ignored/f.py"),
    SearchFiles("def", limit=2, context=1),
    SearchFiles("def", names_only=True, limit=3),
    SearchFiles(r"[^\n]def"),
    SearchFiles(r"(?i)an end"),
    SearchFiles(r"\d"),
    SearchFiles("e{2}|s{1,}"),
    SearchFiles(r"(?P<w>\w)def"),
    # For Python alone: ripgrep refuses them, and they are not handed to it.
    SearchFiles(r"(?<=def )f"),
    SearchFiles(r"(\w)\1"),
    SearchFiles(r"\<def\>"),
    SearchFiles("return{"),
]


@pytest.mark.parametrize("asked", BOTH, ids=lambda asked: f"{asked.pattern} {asked.glob}")
async def test_ripgrep_changes_no_answer(root: Path, asked: SearchFiles) -> None:
    assert await searched(root, asked, ripgrep=True) == await searched(root, asked)


@ENGINES
@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (SearchFiles("("), "The pattern is not valid: .* With literal=true"),
        (SearchFiles(r"a\nb"), "The pattern has the end of a line in it"),
        (SearchFiles("a\nb"), "The pattern has the end of a line in it"),
        (SearchFiles("a\nb", literal=True), "The pattern has several lines"),
        (SearchFiles(""), "The pattern is empty"),
        (SearchFiles("x", path="no"), r"There is no file or directory no\."),
        (SearchFiles("x", path="../x"), "leads out of the workspace"),
        (SearchFiles("x", path="binary.py"), r"binary\.py is binary, not text"),
        (SearchFiles("x", glob=""), "is no pattern"),
    ],
)
async def test_what_cannot_be_searched_says_why(
    root: Path, asked: SearchFiles, why: str, *, ripgrep: bool
) -> None:
    with pytest.raises(ToolError, match=why):
        await searched(root, asked, ripgrep=ripgrep)


@pytest.mark.parametrize("pattern", ["[[:alpha:]]", "[a&&b]", "[a--b]"])
def test_a_set_that_python_takes_for_something_else_is_refused(pattern: str) -> None:
    with pytest.raises(ToolError, match="not understood"):
        compiled(pattern, literal=False, ignore_case=False)


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        (r"\<cat", "a cat", True),
        (r"\<cat", "concat", False),
        (r"cat\>", "concat", True),
        (r"cat\>", "cats", False),
        (r"\\<cat", "\\<cat", True),
        (r"[\<]cat", "<cat", True),
        (r"[]\<]cat", "<cat", True),
        (r"[^]\<]cat", "<cat", False),
    ],
)
def test_ends_of_words_mean_what_they_mean_in_grep(pattern: str, text: str, fits: bool) -> None:
    found = compiled(pattern, literal=False, ignore_case=False).search(text)
    assert (found is not None) is fits


async def test_a_pattern_that_takes_for_ever_ends_and_says_where(tmp_path: Path) -> None:
    root = plant(tmp_path / "root", {"a.txt": "aab\n", "b.txt": "a" * 5000 + "\n"})
    asked = SearchFiles(r"^(a|aa)+b")
    text = await look(Workspace(root), asked, ripgrep=None, seconds=2.0)
    assert text.startswith("a.txt\n1:aab\n")
    assert "at least 1 line in 1 file" in text.lower()
    assert "The time was up at b.txt" in text


async def test_a_search_whose_time_is_up_at_once_says_so(root: Path) -> None:
    with pytest.raises(ToolError, match="The time was up before the search began"):
        await look(Workspace(root), SearchFiles("def"), seconds=0.000_001)


@ENGINES
async def test_a_file_that_is_too_large_is_left_out_and_said(root: Path, *, ripgrep: bool) -> None:
    with (root / "large.txt").open("wb") as file:
        file.write(b"def large\n" * 1000)
        file.truncate(LARGEST + 1)
    text = await searched(root, SearchFiles("def large"), ripgrep=ripgrep)
    assert "[Nothing was found.]\n[Not searched: 1 file too large.]" in text
    with pytest.raises(ToolError, match="too large to be searched"):
        await searched(root, SearchFiles("x", path="large.txt"), ripgrep=ripgrep)


@ENGINES
async def test_a_line_without_an_end_is_searched_in_bounded_memory(
    tmp_path: Path, *, ripgrep: bool
) -> None:
    root = plant(tmp_path / "root", {"one-line.txt": b"first " + b"x" * 20_000_000 + b"\nlast\n"})
    text = await searched(root, SearchFiles("first|last"), ripgrep=ripgrep)
    assert text.splitlines()[2] == "2:last"


async def test_a_file_that_grows_is_read_as_long_as_it_was(tmp_path: Path) -> None:
    """A program that writes without an end must not be read without an end."""
    root = plant(tmp_path / "root", {"log": "line\n"})
    command = ["sh", "-c", 'while :; do echo line; done >> "$0"', str(root / "log")]
    with subprocess.Popen(command) as writer:
        try:
            text = await searched(root, SearchFiles("nowhere"))
        finally:
            writer.kill()
    assert text == "[Nothing was found.]"


async def test_a_program_that_is_no_ripgrep_is_not_relied_on(root: Path, tmp_path: Path) -> None:
    broken = tmp_path / "rg"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    asked = SearchFiles("third")
    expected = await searched(root, asked)
    for program in (str(broken), "/nonexistent/rg"):
        assert await searched(root, asked, ripgrep=program) == expected


async def test_the_tool_searches_its_workspace(root: Path) -> None:
    given = SEARCH_FILES.read('{"pattern": "third", "glob": "*.py", "context": 1}')
    outcome = await SEARCH_FILES.look(running(root), given)
    assert outcome.text.startswith("sub/b.py\n1:def third():\n2-    pass\n")
