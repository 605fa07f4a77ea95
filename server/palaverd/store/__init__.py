"""Storage: tables, the one door through which chats change, queries, and the SQLite engine."""
