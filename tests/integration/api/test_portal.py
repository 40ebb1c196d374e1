"""A passage that a portal could not tell is shown to all, and decided by whoever may."""

from collections.abc import Iterator

import pytest

from tests.integration.api.running import Api, add_token, running_api, settings
from tests.integration.ingest.test_any_order import prepare, take_in
from tests.support.small_day import OUTBOUND, batches
from waystock.store.audit import verify_ledger

OPERATOR, VIEWER = "wst_operator", "wst_viewer"
PASSAGES = "/api/v1/portal-passages"
DOCK = ("sha", "gw-dock")


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    """After the small day, at whose end a pallet has passed the portal nobody knows which way."""
    prepare(database_url)
    take_in(database_url, [list(batches(DOCK, iter([10_000]), has_portal=True))])
    add_token(database_url, OPERATOR, "operator")
    add_token(database_url, VIEWER, "viewer")
    with running_api(settings(database_url)) as running:
        yield running


def put(api: Api, reading: str, direction: str, token: str = OPERATOR) -> tuple[int, object]:
    with api.client(token) as client:
        answer = client.put(f"{PASSAGES}/{reading}/decision", json={"direction": direction})
    return answer.status_code, answer.json()


def test_a_person_who_may_decides_and_the_question_is_gone(api: Api) -> None:
    (waiting,) = api.get(PASSAGES, VIEWER).json()
    assert (waiting["lpn"], waiting["reason"]) == (OUTBOUND[0], "too_few_reads")
    assert put(api, waiting["reading"], "in", VIEWER)[0] == 403
    status, done = put(api, OUTBOUND[0], "in")
    assert status == 200, done
    assert isinstance(done, dict)
    assert (done["kind"], done["movements"]) == ("unload", 1)
    assert api.get(PASSAGES, VIEWER).json() == []
    assert verify_ledger(api.database_url)[1] == []


def test_what_can_t_be_decided_is_refused_in_words(api: Api) -> None:
    assert put(api, "7-7", "in")[0] == 404
    assert put(api, OUTBOUND[0], "sideways")[0] == 422
