"""The client's CPU time per token: late in a long answer, in a long chat, in expensive texts."""

from __future__ import annotations

import time
from collections.abc import Sequence

from bench.figures import Aim, Effort, Figure, Kind, at_most
from bench.terminal_client import history, shown
from bench.terminal_texts import SHAPES, paragraph, prose, written

RATE = 100.0  # tokens per second of a fast model
ENDLESS_RATE = 200.0
LONG, SHORT = 20_000, 1_000  # tokens
WINDOW = 600  # tokens in one measurement
SKIP = 2_000  # tokens per frame between two measurements
CALL_LINES = 800
ENDLESS = 56_000  # characters
CHATS = (20, 2_000)  # messages

PROSE_AIM, TABLE_AIM, SHAPE_AIM = at_most(1.5), at_most(5), at_most(3)
ENDLESS_AIM, CHAT_AIM = at_most(1.3), at_most(1.5)
SHARE_AIM = Aim(Kind.VALUE_AT_MOST, 20)


async def run(effort: Effort) -> list[Figure]:
    """Measure the start and the end of each text, and the share of a core."""
    figures = [await _late(effort)]
    for name, tokens in SHAPES.items():
        aim = TABLE_AIM if "table" in name else SHAPE_AIM
        made = tokens()
        early, late = await _ends(made[: effort.count(len(made), 60)])
        figures.append(
            Figure(f"CPU per token, end of a {name}", late, "us", early, "its start", aim)
        )
    made = written(CALL_LINES)
    early, late = await _ends(made[: effort.count(len(made), 60)], "write_file")
    what = "CPU per token, end of an unfolded call's 800 lines"
    figures.append(Figure(what, late, "us", early, "its start", SHAPE_AIM))
    figures.append(await _endless(effort))
    figures.append(await _long_chat(effort))
    figures.append(await _share(effort))
    return figures


async def _late(effort: Effort) -> Figure:
    tokens = prose(effort.count(LONG, 200))
    window = effort.count(WINDOW, 30)
    start = max(0, effort.count(SHORT, 60) - window)
    async with shown(history(CHATS[0])) as fed:
        await fed.feed(tokens[:start], RATE)
        early = await fed.feed(tokens[start : start + window], RATE)
        at = start + window
        while at < len(tokens) - window:
            step = tokens[at : min(at + SKIP, len(tokens) - window)]
            await fed.frame("".join(step))
            at += len(step)
        late = await fed.feed(tokens[at:], RATE)
        late *= window / max(1, len(tokens) - at)
    what = f"CPU per token, end of {LONG:,} tokens of prose"
    return Figure(what, _each(late, window), "us", _each(early, window), "at 1,000", PROSE_AIM)


async def _ends(tokens: Sequence[str], call: str = "") -> tuple[float, float]:
    """Return the CPU time per token in the first and in the last fifth, in microseconds.

    The tokens are an answer, or the arguments of an unfolded `call`.
    """
    fifth = len(tokens) // 5
    async with shown(history(CHATS[0])) as fed:
        if call:
            fed.call(call)
        early = await fed.feed(tokens[:fifth], RATE)
        await fed.feed(tokens[fifth:-fifth], RATE)
        late = await fed.feed(tokens[-fifth:], RATE)
    return _each(early, fifth), _each(late, fifth)


async def _endless(effort: Effort) -> Figure:
    tokens = paragraph(effort.count(ENDLESS, 2_000))
    costs = []
    for text in (tokens, prose(len(tokens))):
        async with shown(history(CHATS[0])) as fed:
            costs.append(_each(await fed.feed(text, ENDLESS_RATE), len(text)))
    what = "CPU per token, 56 KB without a line feed"
    return Figure(what, costs[0], "us", costs[1], "prose, as many tokens", ENDLESS_AIM)


async def _long_chat(effort: Effort) -> Figure:
    tokens = prose(effort.count(WINDOW, 30))
    costs = []
    for count in CHATS:
        async with shown(history(effort.count(count, 4))) as fed:
            await fed.feed(tokens[:30], RATE)
            costs.append(_each(await fed.feed(tokens[30:] or tokens, RATE), len(tokens)))
    what = f"CPU per token, after {CHATS[1]:,} messages"
    return Figure(what, costs[1], "us", costs[0], f"after {CHATS[0]}", CHAT_AIM)


async def _share(effort: Effort) -> Figure:
    """Stream an answer in real time; return the share of a core that the client takes.

    Spinners turn, and every update is encoded as escape codes.
    """
    seconds = max(0.5, 8 * effort.scale)
    shares = []
    async with shown(history(CHATS[0]), live=True) as fed:
        await fed.frame("".join(prose(SHORT)))
        for tokens in ([""] * round(seconds * RATE), prose(round(seconds * RATE))):
            began, used = time.monotonic(), time.process_time()
            await fed.stream(tokens, RATE)
            shares.append((time.process_time() - used) / (time.monotonic() - began) * 100)
    what = f"share of a core at {RATE:.0f} tokens/s, headless"
    return Figure(what, shares[1], "%", shares[0], "between tokens", SHARE_AIM)


def _each(seconds: float, tokens: int) -> float:
    return seconds / tokens * 1e6
