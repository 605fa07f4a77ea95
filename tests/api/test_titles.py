"""The title of a chat that has no title of its own."""

from __future__ import annotations

import pytest

from palaver.wire.actions import Fork
from palaver.wire.chats import TITLE_LIMIT, CreateChat
from palaverd.usecases.titles import first_title, fork_title
from support.chats import rests
from support.daemon import running_pair


@pytest.mark.parametrize(
    ("content", "title"),
    [
        ("Why is the sky blue?", "Why is the sky blue?"),
        ("[[529]] hello", "hello"),
        ("hello [[length=20]] and\n[[429 retry-after=3 times=2]] again", "hello and again"),
        ("one two three four five six seven", "one two three four five six"),
        ("see [[notes]] and [x] and a[[0]]", "see [[notes]] and [x] and a[[0]]"),
        ("[[echo]]", "New chat"),
        ("\x1b[2J\u2028", "[2J"),
    ],
)
def test_a_title_is_the_first_words_without_directives(content: str, title: str) -> None:
    assert first_title(content) == title


@pytest.mark.parametrize(
    ("title", "fork"),
    [
        ("A plan", "A plan (fork)"),
        ("A plan (fork)", "A plan (fork 2)"),
        ("A plan (fork 9)", "A plan (fork 10)"),
        ("A plan (forked)", "A plan (forked) (fork)"),
        ("", "(fork)"),
        ("x" * TITLE_LIMIT, "x" * (TITLE_LIMIT - 7) + " (fork)"),
    ],
)
def test_a_fork_is_told_from_its_source(title: str, fork: str) -> None:
    assert fork_title(title) == fork


async def test_titles_of_chats_and_forks_through_the_daemon() -> None:
    async with running_pair() as (daemon, client, _):
        chat = (await client.create_chat(CreateChat("[[echo]] a plan"))).chat
        assert chat.title == "a plan"
        await rests(daemon, client, chat.id)
        last = (await client.messages(chat.id)).messages[0].id
        assert (await client.fork(chat.id, Fork(last))).chat.title == "a plan (fork)"
