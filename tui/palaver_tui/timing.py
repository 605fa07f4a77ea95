"""How often and how long: every rate and delay of the client, with its reason."""

# Repaints while text streams in: enough to look like a flow. Each costs some seven milliseconds, so
# that an answer of a hundred tokens a second takes about a fifth of a core.
FRAMES_PER_SECOND = 20.0
# What is dirty goes to the screen on a beat, the next of which may be missed. At Textual's own 60 a
# second a key that comes just after a frame of an answer waits up to 33 ms; here it is 8 ms at
# most. Nothing is drawn more often for it: how much there is to draw is bounded above, and by keys.
SCREEN_UPDATES_PER_SECOND = 240.0
# A repaint that was much work is followed by a pause this many times as long, so that drawing
# never takes more than a fifth of a core.
REST_AFTER_FRAME = 4.0
# What is near the view is laid out bit by bit, with pauses for what matters more: a bit is less
# than ten milliseconds' work. Until then the scroll bar goes by estimates. Not at once: while a
# window's edge is dragged there is soon another width.
LAYOUT_REST_AFTER_S = 0.5
LAYOUT_PAUSE_S = 0.03
LAYOUT_AT_ONCE = 2_000  # characters of Markdown
# Near are so many lines above and below the first one in view: the thumb of a chat that is longer
# moves by less than a row for what is estimated of it.
LAYOUT_NEAR = 1_000
# Spinner and running countdowns. Braille spinners look calm at about eight frames a second.
ANIMATION_S = 0.12
# Without motion, only seconds change.
STILL_ANIMATION_S = 1.0
# Chats whose last view is kept, so that moving through the list shows them at once.
CACHED_CHATS = 30
# Rows from the end within which the transcript still counts as being at its end.
FOLLOW_TOLERANCE = 2
# Older messages are fetched when the view comes this close to the first line there is.
OLDER_WITHIN_LINES = 40
# And older chats, when so few are left below what is in view of the list.
OLDER_WITHIN_ROWS = 40
OLDER_PAGE = 50  # messages; the interface's default page
CHAT_PAGE = 200  # chats; the most that the interface gives at once
SEARCH_PAGE = 200  # messages; the most that the interface gives at once
# Messages that a search reads before it stops to ask: a few seconds over a slow line.
SEARCH_AT_ONCE = 10_000
# Of what is searched, so much is laid out before keys are looked at again: a few milliseconds.
SEARCH_UNITS = 2_000  # characters of Markdown
SEARCH_PAUSE_S = 0.005
# While a selection is dragged beyond the view, it scrolls this often, further out faster.
DRAG_SCROLL_S = 0.05
# An Enter right after another one, wherever that went, is no decision within this time.
SAME_STROKE_S = 1.0
# Notices go away by themselves.
NOTICE_S = 4.0
# One that shows an address is there to be read whole.
ADDRESS_NOTICE_S = 12.0
# One that says how to take something back gives time to think about it.
UNDO_NOTICE_S = 8.0
# One that tells of an error of the client itself stays long enough to press the key it names.
ERROR_NOTICE_S = 30.0
# A program that opens addresses and has not failed by then has it.
OPENER_S = 2.0
# A clipboard program that has not taken the text by then hangs.
CLIPBOARD_TOOL_S = 2.0
# What is being written is saved this long after the first change: a crash costs a second.
SAVE_DRAFT_S = 1.0
# Between two looks for model servers on this machine, while no model can be used: somebody who
# starts one looks at the screen a moment later.
LOOK_FOR_SERVERS_S = 5.0
# Between two looks at what a daemon that did not start is waiting for: a file that was mended is
# used before whoever mended it has changed windows. A look costs nothing.
LOOK_AT_CAUSE_S = 0.5
# A daemon that did not let us in, or was of a version that does not fit, is asked again after this
# long: it may have been upgraded. What is done about it here is seen at once.
BARRED_S = 15.0
# A lost daemon is started again only after this long: one that is being restarted by whoever
# looks after it, or by another client, is back by then.
RELAUNCH_AFTER_S = 2.0
# A request may be lost on a line whose stream stands: another one begins after this long.
RESEND_AFTER_S = 2.0
# How often reading what was not sent may fail by a fault of our own before one goes on without.
LOADS = 3
