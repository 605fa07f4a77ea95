"""Every bound of the interface, with its reason."""

BODY_LIMIT = 1024 * 1024  # bytes of a request; a longer text is a file, not a message
INCOMING_FRAME_LIMIT = 64 * 1024  # bytes; clients have nothing to say on a WebSocket
CONNECTIONS = 1024  # that are open at once; a person's clients have a few dozen
RESERVED_FILES = 256  # for everything else: the database, a call of each chat, imports
BACKLOG = 1024  # connections that wait to be taken in; the kernel has its own bound besides
ACCEPTED_AT_ONCE = 64  # taken in before others get their turn
ACCEPT_PAUSE_S = 1.0  # when no connection can be taken in and none can be closed for it
# A request is sent at once; a client on a busy machine or a slow line still has time for it.
HEAD_S = 30.0  # from a connection's beginning to its first request
BODY_S = 60.0  # for a whole body: one of `BODY_LIMIT` takes it at 18 KB/s
IDLE_S = 75.0  # between requests; longer than clients keep a connection, so that they close it
PING_S = 15.0  # a peer that vanished is noticed within two of them
# Without another event. A client gives up after 12 s: one of them may be late, or two lost seconds
# of a line be in between.
HEARTBEAT_S = 5.0
GOODBYE_S = 1.0  # for all clients at once to take the close frame of a shutdown
SEND_STALL_S = 30.0  # a reader that takes nothing for this long is cut off; it can resume
# Bytes; far below asyncio's high-water mark (64 KiB), above which a write waits for the reader.
PROMPT_FRAME = 16 * 1024
STREAMS_PER_OWNER = 256  # sockets; a person has a few, a runaway script would have thousands
WATCH_INTERVAL_S = 0.25  # a busy chat costs a watcher at most four events a second
WATCH_PAGE = 200  # chats in the snapshot; older ones come by page
CHATS_PAGE = 50  # chats, where a request names no number
LIST_LIMIT = 200
MESSAGES_PAGE = 50  # as many as an attach begins with
MESSAGES_LIMIT = 200
KEY_LIMIT = 200  # characters of an idempotency key
# Tokens have 256 random bits and are not guessed; this keeps those who try from costing much.
LOGIN_FREE = 5  # wrong tokens of an address, before it waits 1 s, then 2, 4, ...
LOGIN_WAIT_MOST_S = 60.0
LOGIN_FORGOTTEN_S = 900.0  # without another wrong token
LOGIN_ADDRESSES = 4096  # that are remembered: half a megabyte
USED_NOTED_S = 60.0  # between two notes of when a token was last used: each is a transaction

# WebSocket close codes (RFC 6455, section 7.4; 4000 to 4999 are the application's own).
CLOSE_GOING_AWAY = 1001
CLOSE_TRY_AGAIN = 1013
CLOSE_NOT_LET_IN = 4401  # its token is over; over HTTP the daemon says why
CLOSE_CHAT_GONE = 4404
