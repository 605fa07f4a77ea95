#!/usr/bin/env bash
# FTS5's bm25() gives a row with the searched word six times and one with the word once nearly the same
# rank, about 0.000001, as soon as half of the rows have the word; with two decimals both are zero.
#
# Seen with SQLite 3.54.1 (apsw 3.54.1.0).
#
# One would guess: rank is a relevance whose size can be compared, so that it may be rounded, a limit
# may be set for what is worth showing, and another order may break ties of equal ranks.
# What happens: the weight of a word falls with the number of rows that have it, and below that half the
# formula would be negative; FTS5 then takes 1e-6 instead. The order within one query stays right, but
# ranks of words that half of the rows have are a million times smaller than those of other words: any
# fixed limit or number of decimals loses them all. Small databases are full of such words, so tests
# and first days look broken, or worse: later data changes the size of all ranks.
#
# What follows: compare ranks within a query only, and round them to significant digits.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check apsw==3.54.1.0
cat > "$work/probe.py" <<'PY'
import apsw

WITH = ["the port is closed"] * 3 + ["port port port port port port"]
WITHOUT = "nothing of it"


def ranks(without: int) -> list[tuple[str, float, str]]:
    """Return text, rank and the rank with two decimals of each hit, the best one first."""
    connection = apsw.Connection(":memory:")
    connection.execute("CREATE VIRTUAL TABLE texts USING fts5(body)")
    for text in WITH + [WITHOUT] * without:
        connection.execute("INSERT INTO texts VALUES (?)", (text,))
    return list(
        connection.execute(
            "SELECT body, rank, printf('%.2f', rank) FROM texts"
            " WHERE texts MATCH 'port' ORDER BY rank"
        )
    )


print("SQLite", apsw.sqlite_lib_version())
common, rarer = ranks(without=3), ranks(without=6)
for name, found in (("4 of 7 rows", common), ("4 of 10 rows", rarer)):
    print(name, *((round(rank, 8), shown) for _, rank, shown in found[:2]))
assert common[0][0] == rarer[0][0] == WITH[3]
assert all(abs(rank) < 1e-5 and shown == "-0.00" for _, rank, shown in common)
assert all(abs(rank) > 0.3 for _, rank, _ in rarer)
PY
"$work/venv/bin/python" "$work/probe.py"
echo "as described"
