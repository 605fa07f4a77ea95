"""`palaver daemon`: the daemon of this data directory, as a process."""
