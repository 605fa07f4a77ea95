"""The benchmarks. Each compares Palaver with the least that could do the same, in one run.

Machines differ and are busy, so an absolute figure says little: what counts is its ratio to a
baseline measured in the same run. Nothing is asserted here; the table shows the aims.
"""
