#!/usr/bin/env bash
# What a failed COMMIT was to write is committed by the next transaction of the same connection:
# SQLAlchemy regards the transaction as ended, and SQLite keeps it open.
#
# Seen with SQLAlchemy 2.1.9, its dialect for sqlite3, and Python 3.11.
#
# One would guess: `with connection.begin():` either commits or rolls back. When the COMMIT itself
# fails, the error is raised and nothing of the block is left.
# What happens: SQLite may refuse a COMMIT and leave the transaction open (here for a deferred foreign
# key; the documentation names a database that is busy as well). SQLAlchemy marks its transaction as
# ended as soon as the COMMIT was tried, whatever came of it; the rollback of the `with` block then
# finds nothing to roll back and sends nothing. A connection that goes back to its pool is rolled back
# there. One that is kept is not: its next transaction sees the rows of the failed one, and commits
# them with its own as soon as the reason is gone. If each transaction begins with an explicit BEGIN,
# as SQLAlchemy's documentation recommends for SQLite, each fails from then on instead ("cannot start
# a transaction within a transaction").
#
# What follows: after an error of a transaction on a connection that is kept, roll the driver's
# connection back (connection.connection.driver_connection.rollback()).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check SQLAlchemy==2.1.9
cat > "$work/probe.py" <<'PY'
import sys

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import IntegrityError, OperationalError

TABLES = (
    "CREATE TABLE parents (id INTEGER PRIMARY KEY)",
    "CREATE TABLE children (parent REFERENCES parents DEFERRABLE INITIALLY DEFERRED)",
)


def connect(name: str, *, explicit: bool) -> Connection:
    engine = create_engine(f"sqlite:///{sys.argv[1]}/{name}.db")

    @event.listens_for(engine, "connect")
    def on_connect(driver, _record):
        driver.execute("PRAGMA foreign_keys = ON")
        if explicit:
            driver.isolation_level = None

    if explicit:
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    connection = engine.connect()
    with connection.begin():
        for table in TABLES:
            connection.exec_driver_sql(table)
    return connection


def fail_to_commit(connection: Connection) -> None:
    try:
        with connection.begin():
            connection.exec_driver_sql("INSERT INTO children VALUES (1)")
    except IntegrityError as error:
        print("the commit:", error.orig)
    driver = connection.connection.driver_connection
    print("in a transaction:", connection.in_transaction(), "the driver:", driver.in_transaction)


def children(connection: Connection) -> int:
    return connection.exec_driver_sql("SELECT count(*) FROM children").scalar_one()


print("-- as it comes")
connection = connect("plain", explicit=False)
fail_to_commit(connection)
with connection.begin():
    connection.exec_driver_sql("INSERT INTO parents VALUES (1)")
connection.close()
with connection.engine.connect() as after:
    print("rows of the failed transaction, read by another connection:", children(after))

print("-- with an explicit BEGIN")
connection = connect("explicit", explicit=True)
fail_to_commit(connection)
try:
    with connection.begin():
        pass
except OperationalError as error:
    print("the next transaction:", error.orig)

print("-- rolled back by hand")
connection = connect("rolled-back", explicit=True)
fail_to_commit(connection)
connection.connection.driver_connection.rollback()
with connection.begin():
    connection.exec_driver_sql("INSERT INTO parents VALUES (1)")
with connection.begin():
    print("rows of the failed transaction:", children(connection))
PY
"$work/venv/bin/python" "$work/probe.py" "$work" | tee "$work/seen"
diff - "$work/seen" <<'SEEN'
-- as it comes
the commit: FOREIGN KEY constraint failed
in a transaction: False the driver: True
rows of the failed transaction, read by another connection: 1
-- with an explicit BEGIN
the commit: FOREIGN KEY constraint failed
in a transaction: False the driver: True
the next transaction: cannot start a transaction within a transaction
-- rolled back by hand
the commit: FOREIGN KEY constraint failed
in a transaction: False the driver: True
rows of the failed transaction: 0
SEEN
