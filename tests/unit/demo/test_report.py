"""The figures of a report."""

from waystock_demo.report import latency


def test_the_median_and_the_slowest_percent_are_told_apart() -> None:
    measured = latency([float(n) for n in range(1, 101)])
    assert (measured.p50, measured.p99, measured.n) == (51.0, 100.0, 100)


def test_a_run_that_showed_nothing_claims_no_latency() -> None:
    assert latency([]).p50 is None
