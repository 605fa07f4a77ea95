"""Rates, delays and page sizes of the client, with their reasons."""

# Repaints while text is streamed: enough for it to look continuous. One takes about 7 ms, so that
# an answer of a hundred tokens per second takes about a fifth of a core.
FRAMES_PER_SECOND = 20.0
# How often Textual writes changed widgets to the screen; one update may be missed. At Textual's
# default of 60 per second, a key just after a frame of an answer waits up to 33 ms; here at most
# 8 ms. Nothing is drawn more often for it: the rate above and the keys limit what there is to draw.
SCREEN_UPDATES_PER_SECOND = 240.0
# A repaint is followed by a pause of this many times its CPU time, so that painting never takes
# more than a fifth of a core.
REST_AFTER_FRAME = 4.0
# Text near the view is laid out in the background, in parts of less than 10 ms with pauses for
# other work. Until then the scroll bar uses estimates. It starts after a delay: while a window's
# edge is dragged, the width soon changes again.
LAYOUT_REST_AFTER_S = 0.5
LAYOUT_PAUSE_S = 0.03
LAYOUT_AT_ONCE = 2_000  # characters of Markdown in one part
# Lines above and below the first line in view that count as near. In a longer chat, errors of the
# estimates move the scroll bar's thumb by less than a row.
LAYOUT_NEAR = 1_000
# Between frames of spinners and countdowns. Braille spinners look calm at about eight per second.
ANIMATION_S = 0.12
# If motion is off, only seconds change.
STILL_ANIMATION_S = 1.0
# Chats whose last view is kept, so that moving through the list shows them immediately.
CACHED_CHATS = 30
# Rows from the end within which the transcript still counts as being at its end.
FOLLOW_TOLERANCE = 2
# Older messages are fetched when the view is this close to the first line.
OLDER_WITHIN_LINES = 40
# Older chats are fetched when the list has at most this many rows below the view.
OLDER_WITHIN_ROWS = 40
OLDER_PAGE = 50  # messages; the default page of the daemon's interface
CHAT_PAGE = 200  # chats; the largest page of the daemon's interface
SEARCH_PAGE = 200  # messages; the largest page of the daemon's interface
# Messages that a search fetches before the user has to continue it: some seconds on a slow line.
SEARCH_AT_ONCE = 10_000
# A search lays out this much before keys are handled again: a few milliseconds.
SEARCH_UNITS = 2_000  # characters of Markdown
SEARCH_PAUSE_S = 0.005
# Messages are searched when the filter of the list was not changed for this time, which is the time
# between two keys at 40 words a minute: each question costs the daemon a search.
LIST_SEARCH_AFTER_S = 0.3
LIST_SEARCH_PAGE = 100  # chats; the largest page of a search of the daemon's interface
# Between scroll steps while a selection is dragged beyond the view; further out, steps are larger.
DRAG_SCROLL_S = 0.05
# An Enter within this time after another one, wherever that was handled, confirms nothing.
SAME_STROKE_S = 1.0
# Keys do not answer a question that has just appeared: a person takes about half a second to see
# it, and who is writing something else does not look. A second is a pause in typing.
QUESTION_SHOWN_S = 0.5
TYPED_ELSEWHERE_S = 1.0
# A chat that was shown this long is read; one that was only passed in the list is not.
READ_AFTER_S = 1.0
# Notices disappear after this time.
NOTICE_S = 4.0
# A notice with an address, which should be read completely.
ADDRESS_NOTICE_S = 12.0
# A notice that offers undo leaves time to think about it.
UNDO_NOTICE_S = 8.0
# A notice of an error of the client itself leaves time to press the key that it names.
ERROR_NOTICE_S = 30.0
# A program that opens a URL and has not failed within this time has succeeded.
OPENER_S = 2.0
# A clipboard program that has not read the text within this time hangs, and is killed.
CLIPBOARD_TOOL_S = 2.0
# A draft is saved this long after its first change: a crash loses at most a second.
SAVE_DRAFT_S = 1.0
# Between two probes for model servers on this machine, while no model can be used: a user who
# starts one looks at the screen soon after.
LOOK_FOR_SERVERS_S = 5.0
# Between two checks of the files that a failed start depends on: a repaired file is used before
# the user has changed windows. A check costs next to nothing.
LOOK_AT_CAUSE_S = 0.5
# After a refused token or an incompatible version, the next attempt is made after this time: the
# daemon may have been upgraded. A change of the local files is noticed by the check above.
BARRED_S = 15.0
# A lost daemon is started again only after this time: one that a service manager or another client
# restarts is back by then.
RELAUNCH_AFTER_S = 2.0
# A message may be lost although the stream is connected: it is sent again after this time.
RESEND_AFTER_S = 2.0
# How often loading unsent messages may fail because of a bug before the client works without them.
LOADS = 3
