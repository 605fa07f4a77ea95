"""Every action's function, by the action's id."""

from __future__ import annotations

from collections.abc import Mapping

from palaver_tui.actions import (
    application,
    chat_list,
    chat_marks,
    chats,
    clipboard,
    composer,
    documents,
    escape,
    history,
    questions,
    queue,
    recall,
    recovery,
    search,
    selection,
    servers,
    slash_commands,
    targets,
    transcript,
)
from palaver_tui.context.context import Run

TABLES: tuple[Mapping[str, Run], ...] = (
    application.FUNCTIONS,
    chat_list.FUNCTIONS,
    chat_marks.FUNCTIONS,
    chats.FUNCTIONS,
    clipboard.FUNCTIONS,
    composer.FUNCTIONS,
    documents.FUNCTIONS,
    escape.FUNCTIONS,
    history.FUNCTIONS,
    questions.FUNCTIONS,
    queue.FUNCTIONS,
    recall.FUNCTIONS,
    recovery.FUNCTIONS,
    search.FUNCTIONS,
    selection.FUNCTIONS,
    servers.FUNCTIONS,
    slash_commands.FUNCTIONS,
    targets.FUNCTIONS,
    transcript.FUNCTIONS,
)
FUNCTIONS: dict[str, Run] = {name: run for table in TABLES for name, run in table.items()}
