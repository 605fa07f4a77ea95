"""`list_files`: what is listed, what is ignored as git decides it, and what is left out is said."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from palaverd.tools.failures import ToolError
from palaverd.tools.files.finding.globs import MOST_ALTERNATIVES, alternatives, matcher
from palaverd.tools.files.finding.listing import MOST_ENTRIES
from palaverd.tools.files.finding.orders import ListFiles
from palaverd.tools.files.list_files import LIST_FILES
from support.require import require
from tools.looking import listed, names, plant, running

TREE = {
    "README.md": "",
    "src/a.py": "",
    "src/deep/b.py": "",
    "src/deep/c.ts": "",
    ".github/workflows/ci.yml": "",
    ".git/config": "",
    ".git/info/exclude": "secret.txt\n",
    ".gitignore": "build/\n*.log\n!keep.log\n",
    "src/deep/.gitignore": "*.ts\n/only-here\n",
    "build/out.o": "",
    "keep.log": "",
    "drop.log": "",
    "secret.txt": "",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return plant(tmp_path / "root", TREE)


async def test_everything_is_listed_but_what_is_ignored(root: Path) -> None:
    assert await names(root) == [
        ".github/",
        ".github/workflows/",
        ".github/workflows/ci.yml",
        ".gitignore",
        "README.md",
        "keep.log",
        "src/",
        "src/a.py",
        "src/deep/",
        "src/deep/.gitignore",
        "src/deep/b.py",
    ]


async def test_what_is_ignored_is_counted_and_listed_on_request(root: Path) -> None:
    note = "[Left out: 4 entries that .gitignore names; with ignored=true they are listed.]"
    assert (await listed(root)).splitlines()[-1] == note
    found = await names(root, ListFiles(ignored=True))
    assert {"build/out.o", "drop.log", "secret.txt", "src/deep/c.ts"} <= set(found)
    assert not any(".git/" in name for name in found)


async def test_a_directory_that_is_ignored_is_listed_when_it_is_named(root: Path) -> None:
    assert await names(root, ListFiles("build")) == ["build/out.o"]
    assert ".git/config" in await names(root, ListFiles(".git"))


async def test_a_depth_and_a_pattern_narrow_the_list(root: Path) -> None:
    assert await names(root, ListFiles("src", depth=1)) == ["src/a.py", "src/deep/"]
    assert await names(root, ListFiles(pattern="*.py")) == ["src/a.py", "src/deep/b.py"]
    assert await names(root, ListFiles("src", pattern="deep/*.py")) == ["src/deep/b.py"]
    assert await names(root, ListFiles(pattern="**/{a,b}.py", depth=2)) == ["src/a.py"]


async def test_ignore_files_above_the_workspace_count_up_to_the_repository(root: Path) -> None:
    plant(root, {"src/deep/x.log": "", "src/deep/secret.txt": "", "src/deep/only-here": ""})
    plant(root.parent, {".gitignore": "*.py\n"})  # of another directory
    found = await names(root / "src" / "deep")
    assert found == [".gitignore", "b.py"]
    # The workspace itself is ignored: what is in it is not.
    plant(root, {"build/x.log": ""})
    assert await names(root / "build") == ["out.o", "x.log"]


async def test_a_nested_repository_has_rules_of_its_own(root: Path) -> None:
    plant(root, {"sub/.git": "gitdir: ../.git/modules/sub", "sub/x.log": "", "sub/y.log": ""})
    plant(root, {"sub/.gitignore": "y.log"})
    assert [name for name in await names(root, ListFiles("sub")) if "log" in name] == ["sub/x.log"]


async def test_ignore_files_count_without_a_repository(tmp_path: Path) -> None:
    plain = plant(tmp_path / "plain", {".gitignore": "*.log", "a.log": "", "a.txt": ""})
    assert await names(plain) == [".gitignore", "a.txt"]


async def test_an_ignore_file_that_is_a_link_does_not_count(tmp_path: Path) -> None:
    plain = plant(tmp_path / "plain", {"rules": "a.txt", "a.txt": ""})
    (plain / ".gitignore").symlink_to("rules")
    assert "a.txt" in await names(plain)


async def test_a_broken_line_of_an_ignore_file_is_skipped(tmp_path: Path) -> None:
    plain = plant(tmp_path / "plain", {".gitignore": b"!\n\\\n[\n\xff\xfe\n*.log\r\n", "a.log": ""})
    assert await names(plain) == [".gitignore"]


PATTERNS = """
*.log
!important.log
/root-only
dir-only/
a/**/z
**/cache
foo*bar
[ab].txt
\\#literal
\\!bang
spaced\\ name
doc/*.txt
!doc/keep.txt
x/
!x/y
"""
PATHS = [
    "a.log",
    "important.log",
    "sub/important.log",
    "sub/b.log",
    "root-only",
    "sub/root-only",
    "dir-only/file",
    "sub/dir-only",
    "a/z",
    "a/b/z",
    "a/b/c/z",
    "cache/file",
    "sub/cache/file",
    "fooXbar",
    "foo/bar",
    "a.txt",
    "c.txt",
    "#literal",
    "!bang",
    "spaced name",
    "doc/one.txt",
    "doc/keep.txt",
    "doc/sub/one.txt",
    "x/y",
    "Straße/ü.log",
]


async def test_what_is_ignored_is_what_ripgrep_ignores(tmp_path: Path) -> None:
    require("ripgrep")
    root = plant(tmp_path / "root", dict.fromkeys(PATHS, "") | {".gitignore": PATTERNS})
    (root / ".git").mkdir()
    options = ["--no-config", "--files", "--hidden", "--no-ignore-global", "--no-ignore-dot"]
    ran = subprocess.run(
        ["rg", *options, "--glob=!.git"], cwd=root, capture_output=True, check=True, text=True
    )
    found = [name for name in await names(root) if not name.endswith("/")]
    assert sorted(found) == sorted(ran.stdout.splitlines())
    assert 5 < len(found) < len(PATHS)


async def test_what_is_ignored_is_what_git_ignores(tmp_path: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    root = plant(tmp_path / "root", dict.fromkeys(PATHS, "") | {".gitignore": PATTERNS})
    env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    command = ["git", "-c", "core.quotePath=false"]
    subprocess.run([*command, "init", "-q"], cwd=root, env=env, check=True)
    ran = subprocess.run(
        [*command, "ls-files", "--others", "--exclude-standard"],
        cwd=root,
        env=env,
        capture_output=True,
        check=True,
        text=True,
    )
    found = [name for name in await names(root) if not name.endswith("/")]
    assert sorted(found) == sorted(ran.stdout.splitlines())


async def test_links_and_special_files_are_shown_and_not_followed(root: Path) -> None:
    (root / "out").symlink_to("/etc")
    (root / "src" / "up").symlink_to("..")
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(root / "s"))
        found = await names(root)
    assert {"out -> /etc", "src/up -> ..", "pipe (pipe)", "s (socket)"} <= set(found)
    assert not any(name.startswith(("out/", "src/up/")) for name in found)


async def test_names_are_shown_on_one_line_as_valid_text(tmp_path: Path) -> None:
    root = plant(tmp_path / "root", {"two\nlines": "", "esc\x1b[0m": "", "sep\u2028x": ""})
    (root / os.fsdecode(b"caf\xe9")).write_text("")
    assert await names(root) == ["caf\ufffd", "esc\\x1b[0m", "sep\\u2028x", "two\\x0alines"]


async def test_a_long_list_has_what_is_nearest_to_the_top(tmp_path: Path) -> None:
    root = plant(tmp_path / "root", {"z.txt": ""})
    plant(root, {f"a/b/{number}": "" for number in range(MOST_ENTRIES)})
    lines = (await listed(root)).splitlines()
    assert len(lines) == MOST_ENTRIES + 1
    assert {"a/", "a/b/", "z.txt"} <= set(lines)
    assert lines[-1] == (
        "[1,000 entries are shown, those nearest to ., of 1,003: a path, a pattern or a depth "
        "shows others.]"
    )


async def test_a_directory_that_cannot_be_read_is_said(root: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    (root / "src" / "deep").chmod(0)
    try:
        assert "what is in 1 directory that cannot be read" in await listed(root)
    finally:
        (root / "src" / "deep").chmod(0o755)


async def test_an_empty_directory_and_a_pattern_without_files_say_so(tmp_path: Path) -> None:
    root = plant(tmp_path / "root", {"sub/a": ""})
    (root / "empty").mkdir()
    assert await listed(root, ListFiles("empty")) == "[There is nothing in empty.]"
    assert await listed(root, ListFiles(pattern="*.c")) == "[Nothing in . fits *.c.]"


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (ListFiles("no"), "There is no file or directory no."),
        (ListFiles("README.md"), "README.md is no directory: read_file reads files."),
        (ListFiles(".."), ".. leads out of the workspace."),
        (ListFiles("/etc"), "/etc is outside of the workspace"),
        (ListFiles("out/deeper"), "out/deeper is outside of the workspace|/etc is outside"),
        (ListFiles(pattern=""), "is no pattern"),
        (ListFiles(pattern="{1,2}" * 12), f"more than {MOST_ALTERNATIVES} alternatives"),
    ],
)
async def test_what_cannot_be_listed_says_why(root: Path, asked: ListFiles, why: str) -> None:
    (root / "out").symlink_to("/etc")
    with pytest.raises(ToolError, match=why):
        await listed(root, asked)


async def test_the_tool_lists_its_workspace(root: Path) -> None:
    given = LIST_FILES.read('{"path": "src", "depth": 1}')
    outcome = await LIST_FILES.look(running(root), given)
    assert outcome.text.splitlines()[:2] == ["src/a.py", "src/deep/"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a", ["a"]),
        ("*.{ts,tsx}", ["*.ts", "*.tsx"]),
        ("{a,b{1,2}}", ["a", "b1", "b2"]),
        ("{a,}", ["a", ""]),
        ("{one}", ["{one}"]),
        ("{open", ["{open"]),
        ("\\{a,b}", ["\\{a,b}"]),
        ("{a}{b,c}", ["{a}b", "{a}c"]),
    ],
)
def test_braces_are_alternatives(pattern: str, expected: list[str]) -> None:
    assert alternatives(pattern) == expected


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        (None, "a", True),
        ("*.py", "a/b.py", True),
        ("*.py", "a/b.pyc", False),
        ("a/*.py", "a/b.py", True),
        ("a/*.py", "a/b/c.py", False),
        ("./a/*.py", "a/b.py", True),
        ("src", "src/deep/a.py", True),
        ("!*.py", "a.py", False),
        ("!*.py", "a.c", True),
        ("#x", "#x", True),
    ],
)
def test_a_pattern_fits_as_in_an_ignore_file(pattern: str | None, path: str, fits: bool) -> None:
    assert matcher(pattern)(path) is fits
