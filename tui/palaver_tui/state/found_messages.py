"""What the filter of the list finds in messages: the question, and the daemon's answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import msgspec
from msgspec.structs import replace

from palaver.wire.search import Hit, SearchPage
from palaver_tui.state.chat_list import ChatList, Row, fits, is_about_chat

# The daemon refuses fewer letters of ASCII before a * (`LEAST_PREFIX` of its search).
LEAST_PREFIX = 2
_LAST_WORD = re.compile(r"(?<!\S)[^\s\"“”„«»*-][^\s\"“”„«»*]*\Z")


class Question(msgspec.Struct, frozen=True):
    """The words to look for, as the daemon reads them, and whether in archived chats.

    `about` are the words of the filter about the chat, such as `label:team`, which the client
    applies to the answer.
    """

    words: str
    archived: bool
    about: tuple[str, ...] = ()


class FoundMessages(msgspec.Struct, frozen=True):
    """The answer to a question: at most one hit for each chat, the best ones first.

    `answered` is False until it has arrived. `more`: there are other ones. `indexed` is how much of
    the history was searched, from 0 to 1. `problem` says why there is no answer, "" if there is.
    """

    question: Question
    hits: tuple[Hit, ...] = ()
    answered: bool = False
    more: bool = False
    indexed: float = 1.0
    problem: str = ""


def question(typed: str | None, *, archived: bool) -> Question | None:
    """Return what to ask for a filter; None if it has no words to look for in messages.

    The last word may not be finished: words that begin with it are found, too.
    """
    words = (typed or "").split()
    about = tuple(word.casefold() for word in words if is_about_chat(word))
    wanted = " ".join(word for word in words if not is_about_chat(word))
    if not any(character.isalnum() for character in wanted):
        return None
    last = _LAST_WORD.search(wanted)
    is_open = last is not None and wanted.count('"') % 2 == 0 and not (typed or "")[-1].isspace()
    if is_open and last is not None and _can_begin(last[0]):
        wanted += "*"
    return Question(wanted, archived, about)


def _can_begin(word: str) -> bool:
    return word[-1].isalnum() and (not word.isascii() or len(word) >= LEAST_PREFIX)


def answered(question: Question, page: SearchPage) -> FoundMessages:
    """Return what a page of the daemon answers."""
    return FoundMessages(
        question,
        tuple(page.hits),
        answered=True,
        more=page.next_cursor is not None,
        indexed=1.0 if page.complete else min(page.indexed, 0.99),
    )


def without(found: FoundMessages, chat_id: str) -> FoundMessages:
    """Return `found` without the hit in a chat, which was deleted."""
    return replace(found, hits=tuple(hit for hit in found.hits if hit.chat.id != chat_id))


def found_rows(
    chats: ChatList, found: FoundMessages | None, titles: Collection[Row]
) -> Sequence[Row]:
    """Return the rows of the chats with hits, without those that `titles` has already."""
    if found is None:
        return ()
    listed = {row.chat.id for row in titles}
    rows = []
    for hit in found.hits:
        chat = chats.chats.get(hit.chat.id, hit.chat)
        asked = found.question
        wanted = chat.archived is asked.archived and all(fits(chat, word) for word in asked.about)
        if wanted and chat.id not in listed:
            rows.append(Row(chat, hit=hit))
    return rows
