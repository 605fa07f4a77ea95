"""Shared helpers of tests: clocks, running daemons, invariants."""
