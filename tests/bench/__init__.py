"""The benchmarks. Each compares Palaver with the least that could do the same, in one run.

Machines differ and are busy, so a figure by itself says little: what counts is its ratio to a
baseline that was measured beside it. Nothing is asserted here; the table says what an aim is.
"""
