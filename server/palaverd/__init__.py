"""The Palaver daemon: stores chats, calls models, serves clients."""
