"""Format figures as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.figures import Figure

HEAD = ("figure", "value", "baseline", "ratio", "aim", "", "noise", "against")


def lines(figures: Sequence[Figure]) -> Iterator[str]:
    """Yield the lines of the table, with aligned columns, beginning with the head."""
    rows = [HEAD, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    for number, row in enumerate(rows):
        cells = [
            cell.ljust(width) if column in (0, 4, 7) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
        if number == 0:
            yield "  ".join("-" * width for width in widths)


def _cells(figure: Figure) -> tuple[str, ...]:
    return (
        figure.what,
        f"{_number(figure.value)} {figure.unit}",
        "" if figure.baseline is None else f"{_number(figure.baseline)} {figure.unit}",
        "" if figure.ratio is None else f"{figure.ratio:.2f}x",
        str(figure.aim or ""),
        {None: "", True: "met", False: "missed"}[figure.met],
        f"{figure.noise:.0%}",
        figure.against,
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
