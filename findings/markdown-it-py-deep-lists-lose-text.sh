#!/usr/bin/env bash
# A list of eleven levels makes markdown-it-py leave out text, also of what stands behind the list.
#
# Seen with markdown-it-py 4.3.0 and Python 3.11.
#
# One would guess: `maxNesting` (20 in the commonmark and default presets) bounds how deep a
# structure is made, and what is deeper is text in the deepest one.
# What happens: a list item counts twice. At the bound the parser gives up the block that it is in
# and moves on to its end: the words in it are in no token at all, and neither is a heading behind
# the list. A quote of twenty levels loses its words in the same way; what is behind it stays.
#
# What follows: a program that must show everything sets `maxNesting` beyond what its input can
# have, and cuts the nesting itself where the stack would not bear it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check markdown-it-py==4.3.0
cat > "$work/probe.py" <<'PY'
from markdown_it import MarkdownIt


def lost(source: str, words: list[str]) -> list[str]:
    html = MarkdownIt("commonmark").render(source)
    return [word for word in words if word not in html]


LEVELS = 11
LIST = "".join("  " * level + f"- level{level}\n" for level in range(LEVELS))
WORDS = [f"level{level}" for level in range(LEVELS)]
print("list:", lost(LIST + "\n# Behind\n\nTheEnd\n", [*WORDS, "Behind", "TheEnd"]))
for depth in (19, 20):
    print(f"quote of {depth}:", lost("> " * depth + "quoted\n\nTheEnd\n", ["quoted", "TheEnd"]))
PY
"$work/venv/bin/python" "$work/probe.py" | tee "$work/seen"
diff - "$work/seen" <<'SEEN'
list: ['level9', 'level10', 'Behind', 'TheEnd']
quote of 19: []
quote of 20: ['quoted']
SEEN
