"""Pictures in results of calls: drawn where possible, with a caption, opened on request."""

import re
import stat
import warnings
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rich.console import Console

from palaver.wire.events import CaughtUp
from palaver.wire.messages import PICTURE_SIDE, Message, Picture, ToolResult
from palaver_tui.platform.pictures import KEPT_FILES, UnreadablePictureError, pixels_of, store
from palaver_tui.text.half_blocks import Grid, Pixels
from palaver_tui.themes.palettes import LIGHT
from palaver_tui.transcript.calls.call import CallBlock
from palaver_tui.transcript.calls.picture_box import MOST_ROWS, PictureBox, caption, grid_of
from palaver_tui.transcript.folds import Folds
from palaver_tui.transcript.targets import Target
from palaver_tui.widgets.strips import draws_pictures, strip_of
from tui.pictures import FORMATS, chart, drawn, png_that_says
from tui.replay import ReplayClient, answer, status, user, versions
from tui.screen import Client, client, pictures_are_drawn
from tui.sheet import call, results
from tui.test_client import running
from tui.test_selection import drag, row_of, spot, taking

RED, GREEN, BLUE = 0xFF0000FF, 0x00FF00FF, 0x0000FFFF
OPEN = Folds(frozenset({"call"}))
sides = st.integers(1, PICTURE_SIDE)


def of_size(width: int, height: int) -> Picture:
    return Picture("image/png", width, height, b"")


class TestSize:
    @given(sides, sides, st.integers(8, 200))
    def test_it_fits_and_is_never_enlarged(self, width: int, height: int, room: int) -> None:
        grid = grid_of(of_size(width, height), room)
        assert 1 <= grid.columns <= min(width, room)
        assert 1 <= grid.pixel_rows <= min(height, 2 * MOST_ROWS)

    @given(sides, sides, st.integers(8, 200))
    def test_it_keeps_its_proportions_to_a_pixel(self, width: int, height: int, room: int) -> None:
        columns, rows = grid_of(of_size(width, height), room)
        # One side follows from the other by the proportions, rounded down, and is at least 1.
        assert columns == max(1, width * rows // height) or rows == max(
            1, height * columns // width
        )

    @pytest.mark.parametrize(
        ("size", "room", "grid"),
        [
            ((640, 480), 80, (53, 40)),
            ((640, 480), 40, (40, 30)),
            ((16, 16), 80, (16, 16)),
            ((1000, 1), 80, (80, 1)),
            ((1, 1000), 80, (1, 40)),
        ],
    )
    def test_for_instance(self, size: tuple[int, int], room: int, grid: tuple[int, int]) -> None:
        assert grid_of(of_size(*size), room) == grid


class TestLines:
    def test_a_cell_is_two_pixels_and_equal_cells_are_one_span(self) -> None:
        grid = Grid(3, 2)
        box = PictureBox(of_size(3, 2))
        box.put(
            Pixels(grid, b"".join(p.to_bytes(4, "big") for p in [RED, RED, GREEN] + [BLUE] * 3))
        )
        _name, line = box.draw(80, draws=True).lines
        assert [(span.text, span.face.pixels) for span in line.spans] == [
            ("▀▀", (RED, BLUE)),
            ("▀", (GREEN, BLUE)),
        ]

    def test_under_an_odd_last_row_the_background_shows(self) -> None:
        box = PictureBox(of_size(1, 3))
        box.put(Pixels(Grid(1, 3), b"".join(p.to_bytes(4, "big") for p in (RED, GREEN, BLUE))))
        last = box.draw(80, draws=True).lines[-1]
        (segment,) = strip_of(last, 1, LIGHT)
        style = segment.style
        assert style is not None
        assert style.color is not None
        assert style.color.triplet == (0, 0, 255)
        assert style.bgcolor is not None
        assert style.bgcolor.triplet is not None
        assert style.bgcolor.triplet.hex == LIGHT.background

    def test_a_terminal_of_sixteen_colours_is_sent_no_others(self) -> None:
        box = PictureBox(of_size(1, 2))
        box.put(Pixels(Grid(1, 2), bytes([200, 30, 40, 255] * 2)))
        strip = strip_of(box.draw(80, draws=True).lines[1], 1, LIGHT)
        file = StringIO()
        console = Console(file=file, force_terminal=True, color_system="standard")
        console.print(*strip, end="")
        assert "▀" in file.getvalue()
        assert ";2;" not in file.getvalue()

    @given(sides, sides, st.integers(8, 120))
    def test_its_height_is_known_before_it_is_decoded(
        self, width: int, height: int, room: int
    ) -> None:
        box = PictureBox(of_size(width, height))
        before, grid = box.draw(room, draws=True)
        assert grid is not None
        box.put(Pixels(grid, bytes(4 * grid.columns * grid.pixel_rows)))
        after, wanted = box.draw(room, draws=True)
        assert len(before) == len(after) == 1 + grid.rows
        assert wanted is None

    def test_where_it_cannot_be_drawn_it_is_named(self) -> None:
        box = PictureBox(Picture("image/png", 640, 480, bytes(34_012)))
        (line,), wanted = box.draw(80, draws=False)
        assert line.text == "picture: PNG 640×480, 34 kB"
        assert wanted is None
        box.put(None)
        assert box.draw(80, draws=True) == ([line], None)

    def test_a_folded_call_wants_nothing_to_be_decoded_also_while_it_is_searched(self) -> None:
        block = CallBlock("c1", "plot")
        block.show(Folds(), arguments="{}", result=ToolResult("c1", "", picture=chart()))
        block.layout(60)
        assert any("picture: PNG" in line.text for line in block.unfolded(60))
        assert block.picture_wanted is None
        block.show(OPEN)
        block.layout(60)
        assert block.picture_wanted == grid_of(chart(), 58)

    def test_a_picture_without_words_is_not_called_no_output(self) -> None:
        block = CallBlock("c1", "plot")
        block.show(OPEN, arguments="{}", result=ToolResult("c1", "", picture=chart()))
        block.layout(60)
        assert not any("no output" in line.text for line in block.lines)


class TestDecoding:
    @pytest.mark.parametrize("kind", FORMATS)
    def test_every_kind_is_decoded(self, kind: str) -> None:
        picture = drawn(Image.new("RGB", (40, 20), (250, 10, 20)), kind)
        pixels = pixels_of(picture, Grid(10, 5))
        assert len(pixels.rgba) == 4 * 10 * 5
        red, green, blue, alpha = pixels.rgba[:4]
        assert (red > 230, green < 30, blue < 40, alpha) == (True, True, True, 255)

    def test_of_an_animation_the_first_frame_is_shown(self) -> None:
        frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue", "lime")]
        picture = drawn(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=100)
        assert pixels_of(picture, Grid(1, 1)).rgba == RED.to_bytes(4, "big")

    def test_what_is_seen_through_stays_so(self) -> None:
        picture = drawn(Image.new("RGBA", (4, 4), (1, 2, 3, 0)))
        assert pixels_of(picture, Grid(2, 2)).rgba[3::4] == bytes(4)

    @pytest.mark.parametrize(
        ("picture", "reason"),
        [
            (Picture("image/png", 480, 240, chart().data[:-900]), "can be read"),
            (Picture("image/png", 480, 240, b""), "can be read"),
            (Picture("image/jpeg", 480, 240, chart().data), "can be read"),
            (Picture("image/png", 480, 241, chart().data), "another size"),
            (Picture("image/png", 8, 8, png_that_says(100_000, 100_000)), "can be read"),
            (Picture("image/png", 60_000, 60_000, png_that_says(60_000, 60_000)), "can be read"),
            (Picture("image/png", 9500, 9500, png_that_says(9500, 9500)), "can be read"),
            (Picture("image/png", 6000, 6000, png_that_says(6000, 6000)), "megapixels"),
            (Picture("image/png", 8, 8, png_that_says(0, 8)), "read|another size"),
        ],
        ids=[
            "cut",
            "empty",
            "wrong-type",
            "wrong-size",
            "bomb",
            "said-bomb",
            "warned",
            "large",
            "0",
        ],
    )
    def test_a_hostile_picture_is_refused_with_a_reason(
        self, picture: Picture, reason: str, tmp_path: Path
    ) -> None:
        with pytest.raises(UnreadablePictureError, match=reason):
            pixels_of(picture, Grid(10, 10))
        with pytest.raises(UnreadablePictureError, match=reason):
            store(picture, tmp_path / "pictures")
        assert not (tmp_path / "pictures").exists()

    def test_nothing_is_said_across_the_screen_about_a_large_one(self) -> None:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            with pytest.raises(UnreadablePictureError):
                pixels_of(Picture("image/png", 9500, 9500, png_that_says(9500, 9500)), Grid(1, 1))
        assert not said

    @given(st.data())
    def test_no_damage_to_the_bytes_does_more_than_refuse(self, data: st.DataObject) -> None:
        kind = data.draw(st.sampled_from(list(FORMATS)))
        whole = drawn(Image.linear_gradient("L").resize((30, 20)), kind)
        content = bytearray(whole.data[: data.draw(st.integers(0, len(whole.data)))])
        for _ in range(data.draw(st.integers(0, 4)) if content else 0):
            at = data.draw(st.integers(0, len(content) - 1))
            content[at] = data.draw(st.integers(0, 255))
        with suppress(UnreadablePictureError):
            pixels_of(Picture(whole.media_type, 30, 20, bytes(content)), Grid(5, 4))


class TestFiles:
    def test_a_picture_is_stored_for_its_owner_alone_under_the_name_of_its_type(
        self, tmp_path: Path
    ) -> None:
        path = store(drawn(Image.new("RGB", (4, 4)), "JPEG"), tmp_path / "a" / "pictures")
        assert path.suffix == ".jpg"
        assert re.fullmatch(r"[0-9a-f]{32}", path.stem)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    def test_the_oldest_are_let_go(self, tmp_path: Path) -> None:
        paths = [
            store(drawn(Image.new("L", (1, 1), number)), tmp_path)
            for number in range(KEPT_FILES + 3)
        ]
        assert len(list(tmp_path.iterdir())) == KEPT_FILES
        assert paths[-1].exists()

    def test_the_same_picture_is_one_file(self, tmp_path: Path) -> None:
        assert store(chart(), tmp_path) == store(chart(), tmp_path)
        assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("colours", "encoding", "draws"),
    [
        ("truecolor", "utf-8", True),
        ("256", "utf-8", True),
        ("standard", "utf-8", False),
        (None, "utf-8", False),
        ("truecolor", "ascii", False),
    ],
)
def test_pictures_want_colours_and_block_characters(
    colours: Literal["truecolor", "256", "standard"] | None, encoding: str, draws: bool
) -> None:
    file = type("File", (StringIO,), {"encoding": encoding})()
    console = Console(file=file, color_system=colours, force_terminal=True)
    assert draws_pictures(console) is draws


def pictured(picture: Picture, *after: Message) -> ReplayClient:
    """Return a daemon with a chat whose only call returned a picture."""
    daemon = running(
        user(1, "draw"),
        answer(2, call(1, "plot"), finish="tool_calls"),
        results(3, ToolResult("c1", "Drawn.", picture=picture)),
        *after,
    )
    daemon.stream_of("a").tell(status("waiting", versions=versions(3, 3)), CaughtUp(9))
    return daemon


async def unfolded(me: Client) -> None:
    await me.shows("plot")
    me.transcript.viewport.set_folds(OPEN)
    await me.shows("picture: ")


async def test_an_unfolded_call_shows_its_picture(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=pictured(chart()), chat_id="a", size=(80, 60)) as me:
        await me.shows("plot")
        assert "picture" not in me.text()
        await unfolded(me)
        await me.shows("picture: PNG 480×240", "▀")
        assert sum("▀" in line for line in me.text().split("\n")) == grid_of(chart(), 70).rows


async def test_reading_below_a_picture_does_not_move_when_it_is_decoded(tmp_path: Path) -> None:
    later = answer(4, "\n\n".join(f"line {number}" for number in range(60)))
    async with client(tmp_path, daemon=pictured(chart(), later), chat_id="a", size=(80, 40)) as me:
        await me.shows("line 59")
        me.transcript.viewport.set_folds(OPEN)
        me.transcript.viewport.to_start()
        me.transcript.viewport.move(14)
        before = row_of(me, "line 0")
        assert not pictures_are_drawn(me.app)
        await me.until(lambda: pictures_are_drawn(me.app))
        await me.pilot.pause()
        assert "▀" in me.text()
        assert row_of(me, "line 0") == before


async def test_a_picture_that_nobody_can_read_is_named_and_says_why_when_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Picture("image/png", 480, 240, chart().data[:-900])
    async with client(tmp_path, daemon=pictured(broken), chat_id="a", size=(80, 60)) as me:
        opened: list[Any] = []
        monkeypatch.setattr(me.app, "open_url", opened.append)
        await unfolded(me)
        await me.until(lambda: pictures_are_drawn(me.app))
        assert "▀" not in me.text()
        assert row_of(me, "picture: PNG 480×240") == row_of(me, "Drawn.") + 2
        await me.press("ctrl+t", "comma", "enter")
        await me.shows("The picture cannot be opened")
        assert not opened


@pytest.mark.parametrize("how", ["key", "name", "picture"])
async def test_a_picture_is_opened_in_the_systems_viewer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    async with client(tmp_path, daemon=pictured(chart()), chat_id="a", size=(80, 60)) as me:
        opened: list[Any] = []
        monkeypatch.setattr(me.app, "open_url", opened.append)
        await unfolded(me)
        await me.shows("▀")
        if how == "key":
            await me.press("ctrl+t", "comma", "enter")
        else:
            row = row_of(me, "picture: ") + (10 if how == "picture" else 0)
            await me.pilot.click(offset=(20, row))
        await me.until(lambda: opened)
        (path,) = (tmp_path / "client" / "pictures").iterdir()
        assert opened == [path.as_uri()]
        assert path.read_bytes() == chart().data


async def test_beside_a_picture_a_click_opens_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = drawn(Image.new("RGB", (10, 10), "red"))
    async with client(tmp_path, daemon=pictured(small), chat_id="a", size=(80, 60)) as me:
        await unfolded(me)
        await me.shows("▀")
        used: list[Target] = []
        monkeypatch.setattr(
            "palaver_tui.actions.targets.use_target", lambda _context, target: used.append(target)
        )
        await me.pilot.click(offset=(60, row_of(me, "▀")))
        await me.pilot.click(offset=(10, row_of(me, "▀")))
        assert [target.kind for target in used] == ["picture"]


async def test_a_theme_without_colours_names_it_and_one_with_them_draws_it(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=pictured(chart()), chat_id="a", size=(80, 60)) as me:
        await unfolded(me)
        await me.shows("▀")
        me.app.theme = "palaver-plain"
        await me.hides("▀")
        await me.shows("picture: PNG 480×240, ")
        me.app.theme = "palaver-light"
        await me.shows("▀")


async def test_without_colours_nothing_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with client(tmp_path, daemon=pictured(chart()), chat_id="a", size=(80, 60)) as me:
        await unfolded(me)
        for theme in ("palaver-plain", "palaver-dark"):  # NO_COLOR removes the second one's colours
            me.app.theme = theme
            await me.pilot.pause()
            assert pictures_are_drawn(me.app)
            assert "▀" not in me.text()


async def test_a_narrower_window_draws_it_anew(tmp_path: Path) -> None:
    async with client(tmp_path, daemon=pictured(chart()), chat_id="a", size=(100, 60)) as me:
        await unfolded(me)
        await me.shows("▀")
        wide = max(line.count("▀") for line in me.text().split("\n"))
        await me.pilot.resize_terminal(60, 60)
        await me.until(lambda: pictures_are_drawn(me.app) and "▀" in me.text())
        assert 30 < max(line.count("▀") for line in me.text().split("\n")) < wide


async def test_copying_gives_the_words_and_not_the_picture(tmp_path: Path) -> None:
    daemon = pictured(chart(), answer(4, "Done."))
    async with client(tmp_path, daemon=daemon, chat_id="a", size=(80, 60)) as me:
        copied = taking(me)
        await unfolded(me)
        await me.shows("▀")
        await drag(me, spot(me, "Drawn."), spot(me, "Done.", after=True))
        await me.press("ctrl+t", "c")
        await me.until(lambda: copied.texts)
        rows = [row.strip() for row in copied.texts[0].strip().split("\n")]
        assert [row for row in rows if row] == ["Drawn.", caption(chart()), "Done."]
        assert len(rows) < 10  # no blank rows instead of the picture
