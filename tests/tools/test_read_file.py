"""`read_file`: lines, pictures for models that see, and the whole outputs of earlier calls."""

from __future__ import annotations

import os
import struct
import tracemalloc
import unicodedata
import zlib
from pathlib import Path

import pytest

from palaver.wire.messages import PICTURE_BYTES, PictureType
from palaverd.file_types import picture_type
from palaverd.tools.failures import ToolError
from palaverd.tools.files.opened import LARGEST
from palaverd.tools.files.pages import lines_of
from palaverd.tools.files.pictures import MOST_SIDE, size_of
from palaverd.tools.files.read_file import READ_FILE, ReadFile
from palaverd.tools.files.whole_output import LONGEST_LINE
from palaverd.tools.running import Running
from palaverd.tools.tool import Outcome
from tools.looking import plant, running


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return plant(tmp_path / "root", {"a.txt": "one\ntwo\n"})


async def read(root: Path, path: str, **more: int) -> str:
    return (await READ_FILE.look(running(root), ReadFile(path, **more))).text


def png(width: int, height: int, *, size: int = 0) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", header), chunk(b"IDAT", b"\x5a" * size), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + b"\xff;"


def jpeg(width: int, height: int) -> bytes:
    start = b"\xff\xd8" + b"\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"
    thumbnail = b"\xff\xe1\x00\x20Exif\0\0" + b"\xff\xc0\x00\x11\x08\x00\x01\x00\x01" + b"\0" * 15
    frame = b"\xff\xff\xc2\x00\x11\x08" + struct.pack(">HH", height, width) + b"\x03" + b"\0" * 9
    return start + thumbnail + frame + b"\xff\xda\x00\x0c\xff\xd9"


def webp(kind: bytes, body: bytes) -> bytes:
    chunk = kind + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


def lossy(width: int, height: int) -> bytes:
    return webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height) + b"\0" * 8)


def lossless(width: int, height: int) -> bytes:
    bits = (width - 1) | (height - 1) << 14
    return webp(b"VP8L", b"\x2f" + struct.pack("<I", bits) + b"\0" * 8)


def extended(width: int, height: int) -> bytes:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return webp(b"VP8X", b"\0\0\0\0" + sides + b"\0" * 8)


PICTURES: dict[str, tuple[PictureType, bytes]] = {
    "png": ("image/png", png(300, 200)),
    "gif": ("image/gif", gif(300, 200)),
    "jpeg": ("image/jpeg", jpeg(300, 200)),
    "lossy": ("image/webp", lossy(300, 200)),
    "lossless": ("image/webp", lossless(300, 200)),
    "extended": ("image/webp", extended(300, 200)),
}


# --- lines ------------------------------------------------------------------------------------


async def test_lines_are_counted_as_editors_count_them(root: Path) -> None:
    plant(root, {"odd.txt": "a\x0cb\x1cc\u2028d\x85e\r\nsecond\n\nfourth"})
    lines = (await read(root, "odd.txt")).split("\n")
    assert lines == ["1\ta\x0cb\x1cc\u2028d\x85e", "2\tsecond", "3\t", "4\tfourth"]


@pytest.mark.parametrize(
    ("text", "lines"), [("", []), ("\n", [""]), ("a", ["a"]), ("a\r\nb\n", ["a", "b"])]
)
def test_a_last_line_needs_no_end(text: str, lines: list[str]) -> None:
    assert lines_of(text) == lines


async def test_what_does_not_fit_is_read_by_pages(root: Path) -> None:
    plant(root, {"long.txt": "".join(f"line {n} {'x' * 90}\n" for n in range(1, 1001))})
    given, seen = ReadFile("long.txt"), 0
    for _ in range(100):
        outcome = await READ_FILE.look(running(root, budget=10_000), given)
        assert len(outcome.text.encode()) <= 10_000
        *lines, note = outcome.text.splitlines()
        if not note.startswith("["):
            lines.append(note)
        for line in lines:
            seen += 1
            assert line.split("\t")[1].startswith(f"line {seen} ")
        if lines[-1] == note:
            break
        assert note == f"[Lines {given.offset} to {seen} of 1000; offset={seen + 1} goes on.]"
        given = ReadFile("long.txt", seen + 1)
    assert seen == 1000


async def test_a_line_that_is_not_there_is_refused(root: Path) -> None:
    with pytest.raises(ToolError, match=r"a\.txt has 2 lines, so there is no 3th\."):
        await read(root, "a.txt", offset=3)


async def test_a_name_that_looks_the_same_is_named(root: Path) -> None:
    plant(root, {"Read.me": "", unicodedata.normalize("NFD", "café"): ""})
    with pytest.raises(ToolError, match=r"There is Read\.me \('Read\.me'\)\."):
        await read(root, "READ.ME")
    with pytest.raises(ToolError) as raised:
        await read(root, unicodedata.normalize("NFC", "café"))
    assert r"('caf\xe9')" in str(raised.value)
    assert r"('cafe\u0301')" in str(raised.value)


async def test_pipes_and_devices_are_refused_without_waiting(root: Path) -> None:
    os.mkfifo(root / "pipe")
    with pytest.raises(ToolError, match="pipe is no regular file"):
        await read(root, "pipe")
    if os.geteuid() == 0:
        os.mknod(root / "device", 0o20666, os.makedev(1, 5))  # /dev/zero
        with pytest.raises(ToolError, match=r"device (?:is no regular file|cannot be opened)"):
            await read(root, "device")


async def test_a_huge_file_is_refused_before_it_is_read(root: Path) -> None:
    with (root / "huge").open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(ToolError, match="at most 8,388,608 are read"):
        await read(root, "huge")


# --- pictures ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PICTURES)
async def test_a_picture_is_shown_to_a_model_that_sees(root: Path, name: str) -> None:
    media_type, data = PICTURES[name]
    plant(root, {"picture.txt": data})  # the name says nothing
    outcome = await READ_FILE.look(running(root, sees=True), ReadFile("picture.txt"))
    assert outcome.text == "picture.txt"
    assert outcome.picture is not None
    found = outcome.picture
    assert (found.media_type, found.width, found.height, found.data) == (
        media_type,
        300,
        200,
        data,
    )


async def test_a_picture_is_refused_with_a_hint_where_the_model_does_not_see(root: Path) -> None:
    plant(root, {"a.png": png(3, 2)})
    with pytest.raises(ToolError, match=r"a picture \(PNG, 3 x 2 pixels\).*vision = true"):
        await read(root, "a.png")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (png(10, 10, size=PICTURE_BYTES), "at most 1,048,576 are shown: execute can make"),
        (png(MOST_SIDE + 1, 10), "8001 x 10 pixels"),
        (png(0, 10), "has no size: it is broken"),
        (jpeg(3, 2)[:30], "is binary|has no size"),
    ],
    ids=["heavy", "wide", "flat", "cut"],
)
async def test_a_picture_that_cannot_be_shown_says_why(root: Path, data: bytes, why: str) -> None:
    plant(root, {"a": data})
    with pytest.raises(ToolError, match=why):
        await READ_FILE.look(running(root, sees=True), ReadFile("a"))


@pytest.mark.parametrize("name", PICTURES)
def test_no_beginning_of_a_picture_has_another_size(name: str) -> None:
    media_type, data = PICTURES[name]
    assert picture_type(data) == media_type
    for end in range(len(data)):
        assert size_of(media_type, data[:end]) in (None, (300, 200))


async def test_other_binary_files_are_refused(root: Path) -> None:
    plant(root, {"a.bin": b"\0\1\2\3", "a.pdf": b"%PDF-1.7\n\0\xff"})
    for path in ("a.bin", "a.pdf"):
        with pytest.raises(ToolError, match="is binary"):
            await READ_FILE.look(running(root, sees=True), ReadFile(path))


# --- outputs ----------------------------------------------------------------------------------


def keep(call: Running, output: bytes, *, of: str = "two") -> str:
    """Keep the whole output of another call of the chat; return its path."""
    plant(call.folder.parent / of, {"output": output})
    return f"output:{of}"


async def page_of(call: Running, path: str, offset: int = 1, limit: int = 2000) -> Outcome:
    return await READ_FILE.look(call, ReadFile(path, offset, limit))


async def test_the_whole_output_of_a_call_of_this_chat_is_read(root: Path) -> None:
    call = running(root)
    path = keep(call, b"one\r\ntwo\nthr\xe9e\xff\n")
    assert (await page_of(call, path)).text == "1\tone\n2\ttwo\n3\tthr\ufffde\ufffd"
    assert (await page_of(call, path, 2, 1)).text == (
        "2\ttwo\n[Lines 2 to 2 of 3; offset=3 goes on.]"
    )


@pytest.mark.parametrize(
    "path", ["output:", "output:three", "output:../../other/two", "output:..", "output:two/output"]
)
async def test_outputs_of_other_chats_are_not_found(root: Path, path: str) -> None:
    call = running(root)
    keep(call, b"mine")
    plant(call.folder.parents[1] / "other" / "two", {"output": "theirs"})
    plant(call.folder.parent, {"output": "none"})
    with pytest.raises(ToolError, match="No call of this chat has a whole output of the name"):
        await page_of(call, path)


async def test_an_output_that_is_a_link_or_a_pipe_is_not_read(root: Path) -> None:
    call = running(root)
    path = keep(call, b"")
    output = call.folder.parent / "two" / "output"
    output.unlink()
    output.symlink_to(root / "a.txt")
    with pytest.raises(ToolError, match="No call"):
        await page_of(call, path)
    output.unlink()
    os.mkfifo(output)
    with pytest.raises(ToolError, match="No call"):
        await page_of(call, path)


async def test_every_byte_of_an_output_of_one_line_can_be_reached(root: Path) -> None:
    call = running(root, budget=16 * 1024)
    text = "".join(f"{n:06}é" for n in range(5000))
    path = keep(call, text.encode())
    pieces: list[str] = []
    for _ in range(100):
        lines = (await page_of(call, path, len(pieces) + 1)).text.split("\n")
        assert len("\n".join(lines).encode()) <= call.budget
        pieces += [line.split("\t")[1] for line in lines if not line.startswith("[")]
        if not lines[-1].startswith("["):
            break
    assert "".join(pieces) == text
    assert all(len(piece.encode()) <= LONGEST_LINE + 4 for piece in pieces)


async def test_a_page_of_a_large_output_costs_little_memory(root: Path) -> None:
    call = running(root)
    path = keep(call, b"x" * 5_000_000 + b"\n" + b"line\n" * 1_000_000)
    tracemalloc.start()
    try:
        outcome = await page_of(call, path, 5_000_000 // LONGEST_LINE + 2, 3)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert outcome.text.splitlines()[0].endswith("\tline")
    assert peak < 2_000_000
