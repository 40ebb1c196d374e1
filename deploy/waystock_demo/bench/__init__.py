"""Benchmarks. Each prints one figure as a ratio to a limit measured in the same run, so that a slow
or busy machine changes both.
"""
