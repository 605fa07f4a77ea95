"""The tools that every daemon has, in the order in which models are told of them."""

from __future__ import annotations

from palaverd.tools.ask_user import ASK_USER
from palaverd.tools.commands.execute import EXECUTE
from palaverd.tools.commands.process_tools import PROCESS_LIST, PROCESS_OUTPUT, PROCESS_SIGNAL
from palaverd.tools.files.edit_files import EDIT_FILES, WRITE_FILE
from palaverd.tools.files.list_files import LIST_FILES
from palaverd.tools.files.read_file import READ_FILE
from palaverd.tools.files.search_files import SEARCH_FILES
from palaverd.tools.tool import Tool

BUILT_IN: tuple[Tool, ...] = (
    READ_FILE,
    LIST_FILES,
    SEARCH_FILES,
    WRITE_FILE,
    EDIT_FILES,
    EXECUTE,
    PROCESS_OUTPUT,
    PROCESS_LIST,
    PROCESS_SIGNAL,
    ASK_USER,
)
