"""Signing in over HTTP: with a password and a cookie, with a token, or not at all."""

from collections.abc import Iterator

import httpx
import pytest

from tests.integration.api.running import (
    PASSWORD,
    Api,
    add_token,
    add_user,
    login,
    running_api,
    settings,
)
from waystock.store.accounts import disable_account, revoke_token
from waystock.store.connection import connect
from waystock_api.login_limit import FAILURES_MAX


@pytest.fixture
def api(plain_database_url: str) -> Iterator[Api]:
    add_user(plain_database_url)
    with running_api(settings(plain_database_url)) as running:
        yield running


def me(api: Api, answer: httpx.Response, **headers: str) -> httpx.Response:
    cookie = answer.headers["set-cookie"].partition(";")[0]
    with api.client() as client:
        return client.get("/api/v1/me", headers={"Cookie": cookie, **headers})


def test_a_password_opens_a_session_whose_cookie_scripts_cannot_read(api: Api) -> None:
    answer = login(api)
    assert answer.json() == {"user": "ann", "role": "operator"}
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert me(api, answer).json() == {"user": "ann", "role": "operator"}


def test_a_wrong_password_and_an_unknown_user_get_the_same_answer(api: Api) -> None:
    wrong, unknown = login(api, password="wrong"), login(api, name="nobody")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert "set-cookie" not in wrong.headers


def test_guessing_is_slowed_down_even_for_the_right_password(api: Api) -> None:
    for _ in range(FAILURES_MAX):
        assert login(api, password="guess").status_code == 401
    refused = login(api)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    assert api.count("waystock_logins_total", result="limited") == 1


def test_a_login_that_cannot_be_read_is_refused_in_words(api: Api) -> None:
    with api.client() as client:
        for body in (b"", b"{", b'{"username":"ann"}', b'{"username":"a\\u0000","password":"x"}'):
            answer = client.post(
                "/api/v1/login", content=body, headers={"Content-Type": "application/json"}
            )
            assert answer.status_code == 422, body
            assert answer.json()["detail"]


def test_after_signing_out_the_cookie_opens_nothing(api: Api) -> None:
    answer = login(api)
    cookie = answer.headers["set-cookie"].partition(";")[0]
    with api.client() as client:
        out = client.post("/api/v1/logout", headers={"Cookie": cookie})
    assert out.status_code == 204
    assert me(api, answer).status_code == 401


def test_a_page_of_another_origin_changes_nothing_with_somebodys_cookie(api: Api) -> None:
    answer = login(api)
    cookie = answer.headers["set-cookie"].partition(";")[0]
    with api.client() as client:
        forged = client.post(
            "/api/v1/logout", headers={"Cookie": cookie, "Origin": "https://evil.example"}
        )
    assert forged.status_code == 403
    assert me(api, answer).status_code == 200, "still signed in"
    assert login(api, Origin="https://evil.example").status_code == 403
    assert login(api, Origin=api.url).status_code == 200


def test_a_disabled_account_is_out_at_once(api: Api) -> None:
    answer = login(api)
    with connect(api.database_url, "test") as database:
        assert disable_account(database, "ann")
    assert me(api, answer).status_code == 401
    assert login(api).status_code == 401


def test_a_changed_password_ends_the_sessions_of_the_old_one(api: Api) -> None:
    answer = login(api)
    add_user(api.database_url)
    assert me(api, answer).status_code == 401
    assert login(api, password=PASSWORD).status_code == 200


def test_a_revoked_token_opens_nothing(api: Api) -> None:
    token = add_token(api.database_url)
    assert api.get("/api/v1/me", token).json() == {"user": "wst-test", "role": "viewer"}
    with connect(api.database_url, "test") as database:
        assert revoke_token(database, "wst-test")
    assert api.get("/api/v1/me", token).status_code == 401


def test_a_session_is_no_token_and_a_token_is_no_session(api: Api) -> None:
    session = login(api).headers["set-cookie"].partition(";")[0].partition("=")[2]
    token = add_token(api.database_url)
    assert api.get("/api/v1/me", session).status_code == 401
    with api.client() as client:
        crossed = client.get("/api/v1/me", headers={"Cookie": f"waystock_session={token}"})
    assert crossed.status_code == 401


def test_a_viewer_may_not_read_what_needs_an_operator(api: Api) -> None:
    viewer = add_token(api.database_url)
    answer = api.get("/api/v1/dead-letters", viewer)
    assert answer.status_code == 403
    assert "operator" in answer.json()["detail"]


def test_metrics_need_a_token_and_count_by_route_not_by_path(api: Api) -> None:
    token = add_token(api.database_url)
    assert api.get("/metrics").status_code == 401
    for vehicle in ("a", "b", "c"):
        api.get(f"/api/v1/vehicles/{vehicle}", token)
    text = api.get("/metrics", token).text
    assert 'route="/api/v1/vehicles/{vehicle}",status="404"} 3.0' in text
    assert "/vehicles/a" not in text
