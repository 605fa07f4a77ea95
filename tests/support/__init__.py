"""What tests share: a clock they move, a running daemon, the invariants."""
