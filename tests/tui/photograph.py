"""Pictures of a screen: SVG, exported by Textual, and PNG, drawn from it by a browser.

Headless Chromium is the only available renderer that sets terminal fonts like terminals.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from html import unescape
from pathlib import Path

from rich.cells import cell_len

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FONTS = "'DejaVu Sans Mono', Menlo, Consolas, monospace"
DRAWING_S = 60  # a browser that takes longer hangs


def find_browser() -> str | None:
    """Return the program that draws PNG, None if there is none."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def portable(svg: str) -> str:
    """Return `svg` without fonts from the network, and with wide characters two cells wide."""
    svg = re.sub(r"@font-face\s*\{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family:\s*Fira Code,\s*monospace", f"font-family: {FONTS}", svg)

    def widened(match: re.Match[str]) -> str:
        head, length, tail, content = match.groups()
        text = unescape(content)
        cell = float(length) / max(1, len(text))
        return f'{head}textLength="{cell * cell_len(text):.1f}"{tail}{content}</text>'

    return re.sub(r'(<text [^>]*?)textLength="([\d.]+)"([^>]*>)([^<]*)</text>', widened, svg)


def photograph(browser: str, svg: Path) -> None:
    """Draw `svg` as a PNG file beside it."""
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
            timeout=DRAWING_S,
        )
