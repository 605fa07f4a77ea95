"""`ask_user`: a question to a person, who may take any time to answer it."""

from __future__ import annotations

from palaver.wire.questions import ASK_USER as NAME
from palaver.wire.questions import MOST_OPTIONS, Question
from palaverd.tools.tool import Asker, reading, telling

# No deadline: the person may be away for days. Exclusive: what else the step would do may depend on
# the answer.
ASK_USER: Asker[Question] = Asker(
    NAME,
    telling(
        NAME,
        f"""
        Ask the person a question, and wait for the answer. For decisions that are theirs, and for
        what you cannot find out yourself. Call it alone, with one question and up to {MOST_OPTIONS}
        options, the one you recommend first. Returns the chosen option, or the person's own words.
        """,
        Question,
    ),
    reading(NAME, Question),
    exclusive=True,
)
