"""The queue in front of the store: bounded, in order, and nobody waits at it for ever."""

import threading

from tests.support.processes import wait_until
from waystock_ingest.waiting import Message, Waiting


def message(number: int, size: int = 10) -> Message:
    return Message("t", bytes(size), number, 1, 1)


def numbers(messages: list[Message]) -> list[int]:
    return [one.mid for one in messages]


def test_messages_come_out_in_the_order_in_which_they_came() -> None:
    waiting = Waiting(10, 1000)
    for number in range(5):
        assert waiting.put(message(number))
    assert numbers(waiting.take(0, 25, 0)) == [0, 1, 2]
    assert numbers(waiting.take(0, 1000, 0)) == [3, 4]
    assert waiting.take(0, 1000, 0) == []
    assert (waiting.messages, waiting.bytes) == (0, 0)


def _is_blocked(waiting: Waiting, one: Message) -> threading.Thread:
    thread = threading.Thread(target=waiting.put, args=(one,), daemon=True)
    thread.start()
    thread.join(0.05)
    assert thread.is_alive(), "there was room"
    return thread


def test_memory_is_bounded_by_count_and_by_bytes() -> None:
    by_count = Waiting(2, 1000)
    by_bytes = Waiting(100, 25)
    for waiting in (by_count, by_bytes):
        for number in range(2):
            waiting.put(message(number))
        blocked = _is_blocked(waiting, message(2))
        assert numbers(waiting.take(0, 10, 0)) == [0]
        blocked.join(5)
        assert numbers(waiting.take(0, 1000, 0)) == [1, 2]


def test_a_message_larger_than_all_the_room_is_not_stuck_for_ever() -> None:
    waiting = Waiting(10, 25)
    assert waiting.put(message(0, size=500))
    blocked = _is_blocked(waiting, message(1))
    assert numbers(waiting.take(0, 1, 0)) == [0]
    blocked.join(5)
    assert not blocked.is_alive()


def test_who_waits_for_room_is_let_go_at_the_end() -> None:
    waiting = Waiting(1, 1000)
    waiting.put(message(0))
    blocked = _is_blocked(waiting, message(1))
    waiting.close()
    blocked.join(5)
    assert not blocked.is_alive()
    assert not waiting.put(message(2))


def test_the_first_message_waits_for_company_but_not_longer_than_it_may() -> None:
    waiting = Waiting(10, 1000)
    taken: list[Message] = []

    def take() -> None:
        taken.extend(waiting.take(5, 20, 5))

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    waiting.put(message(0))
    wait_until(lambda: waiting.messages == 0, "the first is taken")
    assert thread.is_alive()
    waiting.put(message(1))
    thread.join(5)
    assert numbers(taken) == [0, 1]
