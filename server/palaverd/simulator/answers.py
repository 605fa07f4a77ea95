"""Compose answers: varied Markdown that fits the question."""

from __future__ import annotations

import re
from random import Random

from palaverd.simulator.topics import CLOSINGS, GENERIC, TOPICS, Topic

# Stop words, which say nothing about the topic.
_SMALL_WORDS = (
    "a about all an and any are as at be been but by can could did do does else for from give had"
    " has have how i if in into is it its just let like make many may me more most much my no not"
    " now of on one or our out please say should show so some tell than that the their them then"
    " there these they this those to too up us use very want was we were what when where which"
    " while who why will with would write you your explain describe help need"
)
_SMALL = frozenset(_SMALL_WORDS.split())
_WORD = re.compile(r"[a-z0-9+#]+(?:['’-][a-z0-9]+)*")


def compose(prompt: str, random: Random, length: int | None = None) -> str:
    """Return an answer to `prompt`; of about `length` words, if given."""
    words = _WORD.findall(prompt.lower())
    topic = _topic(words)
    subject = _subject(words)
    if topic is not None:
        text = topic.text if topic.whole else f"{topic.text}\n\n{random.choice(CLOSINGS)}"
    else:
        text = random.choice(GENERIC).format(subject=subject, Subject=_capital(subject))
    return text if length is None else _of_length(text, subject, length, random)


def title(prompt: str) -> str:
    """Return a short title for `prompt`."""
    return _capital(_subject(_WORD.findall(prompt.lower())))


def thoughts(prompt: str, random: Random) -> str:
    """Return simulated reasoning about `prompt`."""
    subject = _subject(_WORD.findall(prompt.lower()))
    return random.choice(
        (
            f"The question is about {subject}. A short answer first, then the reason, then an"
            " example that can be tried. No need for more than that.",
            f"What do they want to know about {subject}? Probably the practical side. Start with"
            " the part that surprises people, then say what to do.",
        )
    )


def _topic(words: list[str]) -> Topic | None:
    said = set(words)
    best = max(TOPICS, key=lambda topic: len(said & topic.words))
    return best if said & best.words else None


def _subject(words: list[str]) -> str:
    telling = [word for word in words if word not in _SMALL][:4]
    return " ".join(telling) or "that"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _of_length(text: str, subject: str, length: int, random: Random) -> str:
    """Truncate or extend a text to `length` words, by whole sections."""
    parts = [text]
    count = len(text.split())
    section = 2
    while count < length:
        more = random.choice(GENERIC).format(subject=subject, Subject=_capital(subject))
        parts.append(f"## Part {section}\n\n{more}")
        count += len(more.split()) + 3
        section += 1
    words = re.findall(r"\s*\S+", "\n\n".join(parts))
    return "".join(words[:length])
