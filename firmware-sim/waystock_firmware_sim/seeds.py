"""Random streams, each named by what it is for, so that a change in one part of the world leaves
every other part as it was. Upstream: the seed of the command line; downstream: everything.
"""

from random import Random


def stream(seed: int, purpose: str) -> Random:
    """The random stream of one purpose; equal for equal arguments on every machine."""
    return Random(f"{seed}/{purpose}")  # noqa: S311 - a simulation must be repeatable, not secret
