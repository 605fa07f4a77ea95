#!/usr/bin/env bash
# Rich gives a terminal of 256 colours a darker grey than the one asked for, although it has it.
#
# Seen with rich 15.0.0 and Python 3.11.
#
# One would guess: a colour that the palette of 256 holds exactly is drawn with it. The palette's
# greys are numbers 232 to 255: #080808, #121212 and so on in steps of ten, to #eeeeee.
# What happens: from #9e9e9e on, each of the nine lightest is drawn with the grey before it. A text
# in #9e9e9e comes out as #949494, and loses contrast on a dark ground.
#
# What follows: give colours for such a terminal by their number ("color(247)"), not by their parts.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check rich==15.0.0
cat > "$work/probe.py" <<'PY'
from rich.color import Color, ColorSystem

for number in range(232, 256):
    level = 8 + 10 * (number - 232)
    asked = Color.from_rgb(level, level, level)
    drawn = asked.downgrade(ColorSystem.EIGHT_BIT).number
    assert drawn is not None
    if drawn != number:
        print(f"{asked.name} is {number}, drawn as {drawn}")
PY
"$work/venv/bin/python" "$work/probe.py" | tee "$work/seen"
diff - "$work/seen" <<'SEEN'
#9e9e9e is 247, drawn as 246
#a8a8a8 is 248, drawn as 247
#b2b2b2 is 249, drawn as 248
#bcbcbc is 250, drawn as 249
#c6c6c6 is 251, drawn as 250
#d0d0d0 is 252, drawn as 251
#dadada is 253, drawn as 252
#e4e4e4 is 254, drawn as 253
#eeeeee is 255, drawn as 254
SEEN
