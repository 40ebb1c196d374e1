"""Passwords, tokens, the login limit and origins, without I/O."""

import pytest

from waystock_api.login_limit import ENTRIES_MAX, FAILURES_MAX, WINDOW_S, LoginLimit
from waystock_api.origins import origin_allowed
from waystock_api.passwords import hash_password, password_matches, token_hash, token_text


def test_only_the_right_password_matches_and_its_parameters_are_kept() -> None:
    stored = hash_password("correct horse 电池", b"0123456789abcdef")
    assert stored.startswith("scrypt$32768$8$1$")
    assert password_matches("correct horse 电池", stored)
    assert not password_matches("correct horse", stored)


def test_two_users_with_one_password_have_different_hashes() -> None:
    assert hash_password("same", b"a" * 16) != hash_password("same", b"b" * 16)


def test_a_hash_of_an_unknown_scheme_is_an_error_not_a_match() -> None:
    with pytest.raises(ValueError, match="md5"):
        password_matches("x", "md5$1$1$1$aa$bb")


def test_what_is_stored_of_a_token_does_not_hold_it() -> None:
    token = token_text(bytes(range(32)))
    assert token.startswith("wst_")
    assert len(token_hash(token)) == 32
    assert token_hash(token) != token_hash(token + "x")


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_guessing_is_stopped_for_a_while_and_for_that_pair_only() -> None:
    clock = Clock()
    limit = LoginLimit(clock, lambda: None)
    for _ in range(FAILURES_MAX):
        assert limit.wait_s("ann", "10.0.0.1") == 0
        limit.failed("ann", "10.0.0.1")
    assert limit.wait_s("ann", "10.0.0.1") == WINDOW_S
    assert limit.wait_s("ann", "10.0.0.2") == 0
    assert limit.wait_s("bob", "10.0.0.1") == 0
    clock.now_s = WINDOW_S
    assert limit.wait_s("ann", "10.0.0.1") == 0


def test_a_right_password_forgets_the_failures() -> None:
    limit = LoginLimit(Clock(), lambda: None)
    for _ in range(FAILURES_MAX - 1):
        limit.failed("ann", "a")
    limit.succeeded("ann", "a")
    limit.failed("ann", "a")
    assert limit.wait_s("ann", "a") == 0


def test_a_flood_of_user_names_does_not_fill_the_memory_and_is_counted() -> None:
    evicted: list[None] = []
    limit = LoginLimit(Clock(), lambda: evicted.append(None))
    for n in range(ENTRIES_MAX + 3):
        limit.failed(f"user{n}", "a")
    assert len(evicted) == 3


@pytest.mark.parametrize(
    ("origin", "host", "allowed", "verdict"),
    [
        (None, "way.example", (), True),
        ("https://way.example", "way.example", (), True),
        ("http://way.example:8000", "way.example:8000", (), True),
        ("https://WAY.example", "way.example", (), True),
        ("https://evil.example", "way.example", (), False),
        ("https://way.example.evil.example", "way.example", (), False),
        ("null", "way.example", (), False),
        ("https://way.example", None, (), False),
        ("https://screen.example", "way.example", ("https://screen.example",), True),
        ("https://way.example", "way.example", ("https://screen.example",), False),
    ],
)
def test_pages_of_other_origins_may_not_use_the_cookie(
    origin: str | None, host: str | None, allowed: tuple[str, ...], verdict: bool
) -> None:
    assert origin_allowed(origin, host, allowed) is verdict
