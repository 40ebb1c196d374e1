"""Missed live messages are noticed; repeated ones are no alarm."""

from waystock_api.live.sequences import PUBLISHERS_MAX, Sequences


def test_a_message_that_was_lost_is_noticed() -> None:
    watch = Sequences()
    assert watch.observe("t", "ingest", "e1", 1) == "new_epoch"
    assert watch.observe("t", "ingest", "e1", 2) == "follows"
    assert watch.observe("t", "ingest", "e1", 4) == "gap"
    assert watch.observe("t", "ingest", "e1", 5) == "follows"


def test_a_publisher_that_began_anew_is_noticed_on_any_topic() -> None:
    watch = Sequences()
    watch.observe("t1", "ingest", "e1", 1)
    watch.observe("t2", "ingest", "e1", 1)
    assert watch.observe("t2", "ingest", "e2", 1) == "new_epoch"
    assert watch.observe("t1", "ingest", "e2", 1) == "follows"


def test_a_first_message_that_is_not_the_first_means_something_was_missed() -> None:
    watch = Sequences()
    watch.observe("t1", "ingest", "e1", 1)
    assert watch.observe("t2", "ingest", "e1", 5) == "gap"
    assert watch.observe("t3", "ingest", "e1", 1) == "follows"


def test_repeats_and_latecomers_raise_no_alarm() -> None:
    watch = Sequences()
    watch.observe("t", "ingest", "e1", 7)
    assert watch.observe("t", "ingest", "e1", 7) == "repeats"
    assert watch.observe("t", "ingest", "e1", 3) == "repeats"
    assert watch.observe("t", "ingest", "e1", 8) == "follows"


def test_two_publishers_on_one_topic_are_told_apart() -> None:
    watch = Sequences()
    watch.observe("t", "a", "e1", 1)
    watch.observe("t", "b", "e2", 1)
    assert watch.observe("t", "a", "e1", 2) == "follows"
    assert watch.observe("t", "b", "e2", 2) == "follows"


def test_a_crowd_of_publishers_does_not_fill_the_memory() -> None:
    watch = Sequences()
    for n in range(PUBLISHERS_MAX * 3):
        watch.observe("t", f"p{n}", "e", 1)
    assert len(watch._epochs) == PUBLISHERS_MAX
