"""`make bench`: run the benchmarks and print one table."""

from __future__ import annotations

import argparse
import asyncio
import time

import click

from bench.catalogue import BENCHMARKS
from bench.figures import Effort, Figure, combine
from bench.noise import spread
from bench.table import lines


def main() -> None:
    """Run the chosen benchmarks `--runs` times each, and print the medians."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"all, or some of: {', '.join(BENCHMARKS)}"
    )
    parser.add_argument("--runs", type=int, default=3, help="of each; the median counts")
    parser.add_argument("--scale", type=float, default=1.0, help="how much each does; 1 is full")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    click.echo(
        f"This machine's noise: the same work takes {spread():.0%} longer at p90 than at p10."
    )
    figures: list[Figure] = []
    for name in chosen.names or BENCHMARKS:
        began = time.monotonic()
        effort = Effort(chosen.scale)
        figures += combine([asyncio.run(BENCHMARKS[name](effort)) for _ in range(chosen.runs)])
        click.echo(f"{name}: {time.monotonic() - began:.0f} s", err=True)
    click.echo("\n".join(lines(figures)))


if __name__ == "__main__":
    main()
