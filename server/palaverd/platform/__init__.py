"""The operating system: limits, memory, peers of sockets, and what ends or restarts a process."""
