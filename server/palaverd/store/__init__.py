"""Storage: tables, the door through which chats change, queries, and the SQLite engine."""
