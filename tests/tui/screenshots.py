"""Draw the pictures of the client: `PYTHONPATH=tests python -m tui.screenshots [FOLDER]`.

SVG comes from Textual, PNG from a headless Chromium, the one renderer at hand that sets
terminal fonts as terminals do. Without one only the SVG files are drawn.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
from html import unescape
from pathlib import Path

from rich.cells import cell_len

from tui.replay import ReplayClient
from tui.scenes import SCENES
from tui.screen import make_app, screen_text, settled

# (file name, scene, columns, rows, theme, keys)
PICTURES: tuple[tuple[str, str, int, int, str, tuple[str, ...]], ...] = (
    ("conversation", "streaming", 120, 40, "palaver-dark", ()),
    ("conversation-light", "streaming", 120, 40, "palaver-light", ()),
    ("conversation-contrast", "streaming", 120, 40, "palaver-contrast", ()),
    ("conversation-plain", "streaming", 120, 40, "palaver-plain", ()),
    ("empty", "empty", 80, 24, "palaver-dark", ()),
    ("first-run", "first_run", 80, 24, "palaver-dark", ()),
    ("queue", "queued", 100, 30, "palaver-dark", ("ctrl+o", "down")),
    ("held", "held", 100, 30, "palaver-dark", ()),
    ("retrying", "retrying", 100, 30, "palaver-dark", ()),
    ("failed", "failed", 100, 30, "palaver-dark", ()),
    ("disconnected", "disconnected", 100, 30, "palaver-dark", ()),
    ("narrow", "queued", 60, 20, "palaver-dark", ()),
    ("help", "finished", 100, 30, "palaver-dark", ("f1",)),
    ("palette", "finished", 100, 30, "palaver-dark", ("ctrl+k",)),
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FONTS = "'DejaVu Sans Mono', Menlo, Consolas, monospace"


async def draw(scene: str, size: tuple[int, int], theme: str, keys: tuple[str, ...]) -> str:
    """Return a state of the client as SVG."""
    prepare, chat_id, words = SCENES[scene]
    daemon = ReplayClient()
    prepare(daemon)
    with tempfile.TemporaryDirectory() as data_dir:
        app, clock = make_app(daemon, Path(data_dir), chat_id)
        async with app.run_test(size=size, notifications=True) as pilot:
            await settled(app, lambda: words in screen_text(app) and app.session.models)
            app.main.query_one("#composer").cursor_blink = False
            app.theme = theme
            clock.advance(3)
            for key in keys:
                await pilot.press(key)
            app.paint()
            await pilot.pause()
            return portable(app.export_screenshot(title="palaver"))


def portable(svg: str) -> str:
    """Take out the fonts that would be fetched, and give wide characters their two cells."""
    svg = re.sub(r"@font-face\s*\{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family:\s*Fira Code,\s*monospace", f"font-family: {FONTS}", svg)

    def widened(match: re.Match[str]) -> str:
        head, length, tail, content = match.groups()
        text = unescape(content)
        cell = float(length) / max(1, len(text))
        return f'{head}textLength="{cell * cell_len(text):.1f}"{tail}{content}</text>'

    return re.sub(r'(<text [^>]*?)textLength="([\d.]+)"([^>]*>)([^<]*)</text>', widened, svg)


def photograph(browser: str, svg: Path) -> None:
    """Draw `svg` as PNG beside it."""
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg.read_text())
    assert found is not None
    width, height = (round(float(number)) for number in found.groups())
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(f"<meta charset=utf-8><body style='margin:0'>{svg.read_text()}</body>")
        subprocess.run(
            [
                browser,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                "--default-background-color=00000000",
                f"--user-data-dir={folder}/profile",
                f"--window-size={width},{height}",
                f"--screenshot={svg.with_suffix('.png')}",
                page.as_uri(),
            ],
            check=True,
            capture_output=True,
        )


async def main(folder: Path) -> None:
    """Draw all pictures into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    for name, scene, columns, rows, theme, keys in PICTURES:
        svg = folder / f"{name}.svg"
        svg.write_text(await draw(scene, (columns, rows), theme, keys))
        if browser is not None:
            await asyncio.to_thread(photograph, browser, svg)
        print(svg.with_suffix(".png" if browser else ".svg"))  # noqa: T201 - it is a command
    if browser is None:
        print("No Chromium was found: only SVG files were drawn.")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots")))
