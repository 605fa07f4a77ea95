"""Full-text search over an owner's messages and titles.

`engine.py` says what a database must do for it, `fts5.py` does it for SQLite. The others are pure:
`query.py` reads what a user typed, `words.py` divides text into words, `snippet.py` shows a place.
"""
