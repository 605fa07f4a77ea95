"""The benchmarks. Each compares Palaver with a minimal program for the same task, in the same run.

Machines differ and may be busy, so an absolute figure means little: what counts is its ratio to a
baseline measured in the same run. Nothing is asserted here; the table shows the aims.
"""
