"""The built pages: served with the right caching and headers, and nothing beside them."""

import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.api.running import NO_BROKER, Api, running_api, settings

NO_DATABASE = "postgresql://nobody@127.0.0.1:1/nothing"


@pytest.fixture
def static_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<h1>screen</h1>")
    (folder / "tower.html").write_text("<h1>tower</h1>")
    (folder / "assets" / "screen-DvnxijTV.js").write_text("1")
    (folder / "assets" / "plain.js").write_text("2")
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    return folder


@pytest.fixture
def api(static_dir: Path) -> Iterator[Api]:
    with running_api(settings(NO_DATABASE, NO_BROKER, static_dir=static_dir)) as running:
        yield running


def test_pages_are_asked_for_anew_and_hashed_files_are_kept(api: Api) -> None:
    for path, text in (("/", "screen"), ("/tower", "tower"), ("/tower.html", "tower")):
        answer = api.get(path)
        assert text in answer.text
        assert answer.headers["cache-control"] == "no-cache"
    assert "immutable" in api.get("/assets/screen-DvnxijTV.js").headers["cache-control"]
    assert api.get("/assets/plain.js").headers["cache-control"] == "no-cache"


def test_an_unchanged_page_is_not_sent_twice(api: Api) -> None:
    etag = api.get("/").headers["etag"]
    with api.client() as client:
        again = client.get("/", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


def test_every_answer_carries_the_security_headers(api: Api) -> None:
    for path in ("/", "/nothing", "/api/v1/me", "/healthz", "/assets/plain.js"):
        headers = api.get(path).headers
        policy = headers["content-security-policy"]
        assert "worker-src 'self' blob:" in policy, "or MapLibre's map stays blank"
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"


def test_nothing_outside_the_folder_can_be_reached(api: Api) -> None:
    paths = (
        "/../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "/assets/../../secret.txt",
        "//etc/passwd", "/link.txt", "/..%5csecret.txt", "/%00", "/secret.txt", "/" + "a" * 5000,
    )  # fmt: skip
    for path in paths:
        connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=5)
        connection.request("GET", path)  # As it stands: httpx would tidy the path up.
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        assert answer.status == 404, path
        assert b"secret" not in body.replace(path.encode(), b"").replace(b"secret.txt", b"")


def test_without_a_build_the_page_says_how_to_make_one(tmp_path: Path) -> None:
    with running_api(settings(NO_DATABASE, static_dir=tmp_path / "missing")) as api:
        answer = api.get("/")
        assert answer.status_code == 503
        assert "make setup" in answer.text
        assert "页面" in answer.text
        assert api.get("/assets/x.js").status_code == 404


def test_without_database_and_broker_it_lives_and_says_what_is_missing(api: Api) -> None:
    assert api.get("/healthz").status_code == 200
    answer = api.get("/readyz")
    assert answer.status_code == 503
    assert set(answer.json()["missing"]) == {"database", "broker", "picture"}
    refused = api.get("/api/v1/sites", "wst_any")
    assert refused.status_code == 503
    assert "Try again" in refused.json()["detail"]
