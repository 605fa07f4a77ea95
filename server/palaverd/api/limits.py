"""The limits of the API, each with its reason."""

BODY_LIMIT = 1024 * 1024  # bytes of a request; a longer text is a file, not a message
INCOMING_FRAME_LIMIT = 64 * 1024  # bytes; clients send nothing on a WebSocket
# Open at once. One user's clients have a few dozen; a service that follows each of its chats, and
# sends to it meanwhile, has two for each.
CONNECTIONS = 4096
# For everything else: the thousand calls that a provider gets at once, the database, imports.
RESERVED_FILES = 1280
# Connections that wait to be accepted: all that could be served, so that none is refused while the
# event loop is busy. The kernel has a limit of its own (net.core.somaxconn, 4096 since Linux 5.4).
BACKLOG = CONNECTIONS
ACCEPTED_AT_ONCE = 64  # accepted in one turn of the event loop
ACCEPT_PAUSE_S = 1.0  # when no connection can be accepted and none can be closed
# Enough time for a client on a busy machine or a slow line.
HEAD_S = 30.0  # from a connection's beginning to its first request
BODY_S = 60.0  # for a whole body: `BODY_LIMIT` at 18 KB/s
IDLE_S = 75.0  # between requests; longer than clients keep a connection, so that they close it
PING_S = 15.0  # without a word of the client, before it is asked for one
# Without another event. A client gives up after 12 s, so that one heartbeat may be late, or the
# line interrupted for two seconds.
HEARTBEAT_S = 5.0
GOODBYE_S = 1.0  # for all clients together to receive the close frame of a shutdown
SEND_STALL_S = 30.0  # a client that takes nothing for this long is closed; it can resume
# Bytes that a client must take in that time while more waits: 2 KB/s, less than the slowest line.
SLOWEST = 64 * 1024
PARTING_S = 10.0  # for a client to take what waits and the close frame, before it is cut off
PONGS = 16  # unsent answers to a client's pings; further ones are for pings that it sent unread
# Bytes; far below asyncio's high-water mark (64 KiB), above which a write waits for the reader.
PROMPT_FRAME = 16 * 1024
# WebSockets. A user has a few, a service one for each chat that it follows; a runaway script would
# take all connections.
STREAMS_PER_OWNER = 2048
WATCH_INTERVAL_S = 0.25  # a busy chat costs a watcher at most four events a second
WATCH_PAGE = 200  # chats in the snapshot; older ones are requested by page
CHATS_PAGE = 50  # chats, if a request names no limit
LIST_LIMIT = 200
MESSAGES_PAGE = 50  # as many as a stream begins with
MESSAGES_LIMIT = 200
SEARCH_PAGE = 20  # hits, if a request names no limit
SEARCH_LIMIT = 100  # each is a row of its own to read
KEY_LIMIT = 200  # characters of an idempotency key
# Tokens have 256 random bits and cannot be guessed; this limits the cost of attempts.
LOGIN_FREE = 5  # wrong tokens of an address, before it waits 1 s, then 2, 4, ...
LOGIN_WAIT_MOST_S = 60.0
LOGIN_FORGOTTEN_S = 900.0  # without another wrong token
LOGIN_ADDRESSES = 4096  # addresses to remember: half a megabyte
USED_NOTED_S = 60.0  # between two writes of when a token was last used, each a transaction

# WebSocket close codes (RFC 6455, section 7.4; 4000 to 4999 are the application's own).
CLOSE_GOING_AWAY = 1001
CLOSE_FAILED = 1011  # a fault of the daemon, which its log shows
CLOSE_NOT_LET_IN = 4401  # its token has ended; over HTTP the daemon says why
CLOSE_CHAT_GONE = 4404
CLOSE_NOT_READ = 4408  # the client took nothing for `SEND_STALL_S`
