"""The client's state as values: pure reducers, and pure functions of their results."""
