"""The matrix of the last run: a file of data, and the table made from it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

FILE = Path(__file__).parent / "results.json"


class Row(msgspec.Struct, frozen=True):
    """One server by one protocol: the result of each case."""

    server: str
    version: str
    protocol: str
    cells: dict[str, str]


class Results(msgspec.Struct, frozen=True):
    """All rows, the day of the run (for each row its last), and the reasons for missing servers."""

    rows: list[Row]
    not_tried: dict[str, str] = {}


def load(file: Path = FILE) -> Results:
    """Return the results of the last run."""
    return msgspec.json.decode(file.read_bytes(), type=Results) if file.exists() else Results([])


def save(results: Results, file: Path = FILE) -> None:
    """Write the results."""
    file.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=2) + b"\n")


def merged(old: Results, row: Row, order: Sequence[str], not_tried: dict[str, str]) -> Results:
    """Return the old results with a row replaced.

    Cells of the same version that were not tested again stay; they are in the `order` of cases.
    """
    kept = {(one.server, one.protocol): one for one in old.rows}
    before = kept.get((row.server, row.protocol))
    cells = dict(row.cells)
    if before is not None and before.version == row.version:
        cells = {**before.cells, **cells}
    ordered = {case: cells[case] for case in order if case in cells}
    kept[row.server, row.protocol] = msgspec.structs.replace(row, cells=ordered)
    return Results(list(kept.values()), not_tried)


def matrix_markdown(results: Results | None = None) -> str:
    """Return the matrix as Markdown: cases down, servers by protocol across, notes below."""
    results = results or load()
    lines = []
    for server in dict.fromkeys(row.server for row in results.rows):
        rows = [row for row in results.rows if row.server == server]
        cases = list(dict.fromkeys(case for row in rows for case in row.cells))
        lines += [f"### {server}", "", f"{rows[0].version}", ""]
        lines.append("| case | " + " | ".join(row.protocol for row in rows) + " |")
        lines.append("| --- |" + " --- |" * len(rows))
        for case in cases:
            cells = (_cell(row.cells.get(case, "not run")) for row in rows)
            lines.append(f"| {case} | " + " | ".join(cells) + " |")
        lines.append("")
    if results.not_tried:
        lines += ["### Not tried", ""]
        lines += [f"- {name}: {why}" for name, why in results.not_tried.items()]
        lines.append("")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
