"""The WebSocket over a real store and a real broker: screens show what is so, soon, and resume."""

import json
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed

from tests.integration.api.running import (
    Api,
    Ingest,
    Screen,
    add_token,
    add_user,
    ingest,
    login,
    running_api,
    screen,
    settings,
)
from tests.integration.api.world import GTIN, fill, later, tea, truck
from tests.support.brokers import Broker
from tests.support.processes import wait_until
from waystock.contract.topics import live_topic
from waystock.store.accounts import revoke_token
from waystock.store.connection import connect

KEY = f"sha/{GTIN}"


@pytest.fixture
def url(plain_database_url: str) -> str:
    fill(plain_database_url)
    add_token(plain_database_url)
    return plain_database_url


@pytest.fixture
def api(url: str, nats_broker: Broker) -> Iterator[Api]:
    chosen = settings(url, nats_broker.url, beat_s=0.5, recheck_s=0.5, auth_wait_s=0.5)
    with running_api(chosen) as running:
        running.wait_ready()
        yield running


@pytest.fixture
def publisher(nats_broker: Broker) -> Iterator[Ingest]:
    with ingest(nats_broker.url) as made:
        yield made


def closed_code(client: Screen) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        for _ in range(200):
            client.socket.recv(timeout=10)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


def test_a_screen_sees_the_store_and_then_each_change(api: Api, publisher: Ingest) -> None:
    with screen(api, "wst_test") as client:
        client.sub("stock", args={"site": None})
        client.receive()
        assert client.seen[KEY]["on_hand"] == 12
        publisher.publish("stock", tea(7, later()))
        client.receive_until(KEY, on_hand=7)
        assert api.count("waystock_live_message_age_seconds_count", stream="stock") == 1


def test_every_channel_has_its_snapshot(api: Api) -> None:
    wanted = {
        "stock": KEY, "transit": "truck-1", "alerts": "a0", "health": "sha/gw-1",
        "kpi": "all/stock_units",
    }  # fmt: skip
    for channel, key in wanted.items():
        with screen(api, "wst_test") as client:
            client.sub(channel)
            wait_until(lambda client=client, key=key: client.receive() and key in client.seen, key)
    with screen(api, "wst_test") as client:
        client.sub("movements")
        assert client.receive()["type"] == "snap"


def test_the_figures_follow_the_picture(api: Api, publisher: Ingest) -> None:
    with screen(api, "wst_test") as client:
        client.sub("kpi", args={"site": "sha"})
        client.receive()
        publisher.publish("stock", tea(100, later()))
        publisher.publish("transit", truck(later(), 31.3, late_s=-5.0, load_units=6))
        client.receive_until("sha/stock_units", value=100)
        client.receive_until("sha/on_time_percent", value=100)
        assert "all/stock_units" not in client.seen


def test_a_site_filter_shows_that_site_only(api: Api, publisher: Ingest) -> None:
    with screen(api, "wst_test") as client:
        client.sub("stock", args={"site": "ber"})
        assert client.receive()["d"] == []
        publisher.publish("stock", tea(1, later()))
        publisher.publish("stock", tea(2, later(), site="ber"))
        client.receive_until(f"ber/{GTIN}", on_hand=2)
        assert KEY not in client.seen


def test_an_alert_that_never_was_leaves_the_screen(api: Api, publisher: Ingest) -> None:
    with screen(api, "wst_test") as client:
        client.sub("alerts")
        client.receive_until("a0", state="open")
        gone = {"key": "a0", "version": later(), "gone": True}
        message = {
            "publisher": "ingest-1", "epoch": "e1", "seq": 1, "sent_at": "2026-11-23T00:00:00Z",
            "entities": [gone],
        }  # fmt: skip
        publisher.raw(live_topic("fleet", "alerts"), json.dumps(message).encode())
        client.receive_until("a0")


def test_a_lost_message_is_made_good_from_the_store(api: Api, publisher: Ingest) -> None:
    publisher.publish("stock", tea(12, 1))
    with screen(api, "wst_test") as client:
        client.sub("stock")
        client.receive_until(KEY, on_hand=12)
        with connect(api.database_url, "test") as database:
            database.execute(
                "UPDATE stock_position SET on_hand = 3, changed_at = clock_timestamp()"
                " WHERE location = 'sha/bin-1'"
            )
        publisher.publish("stock", tea(11, later(-1)), lost=True)
        publisher.publish("stock", tea(99, 1, gtin="00000000000001"))
        client.receive_until(KEY, on_hand=11)


def test_a_reconnect_resumes_without_a_new_snapshot(api: Api, publisher: Ingest) -> None:
    with screen(api, "wst_test") as client:
        client.sub("stock")
        client.receive()
    base = later()
    publisher.publish("stock", tea(5, base))
    publisher.publish("stock", tea(6, base + 1))
    wait_until(
        lambda: api.count("waystock_live_messages_total", stream="stock") == 2, "both arrived"
    )
    with screen(api, "wst_test") as again:
        again.seen, again.seq = client.seen, client.seq
        again.sub("stock", since={"epoch": client.epoch, "seq": client.seq})
        again.receive_until(KEY, on_hand=6)
        assert {frame["type"] for frame in again.frames} == {"delta"}
    with screen(api, "wst_test") as stranger:
        stranger.sub("stock", since={"epoch": "of another process", "seq": client.seq})
        assert stranger.receive()["type"] == "snap"


def test_a_slow_screen_jumps_to_the_newest(api: Api, publisher: Ingest) -> None:
    with screen(api, "wst_test") as slow, screen(api, "wst_test") as quick:
        for client in (slow, quick):
            client.sub("stock")
            client.receive()
        base = later()
        for n in range(12):
            publisher.publish("stock", tea(1000 + n, base + n))
            quick.receive_until(KEY, on_hand=1000 + n)
        first = slow.receive(ack=False)
        second = slow.receive(ack=False)
        assert second["up"][0]["on_hand"] < 1011, "two on the way, then the server waited"
        slow.send(type="ack", id=1, seq=second["seq"])
        jump = slow.receive()
        assert jump["prev"] == second["seq"] > first["seq"]
        assert [entity["on_hand"] for entity in jump["up"]] == [1011]
        assert api.count("waystock_ws_ticks_conflated_total", channel="stock") > 0


def test_a_screen_that_answers_no_more_is_dropped(url: str, nats_broker: Broker) -> None:
    with running_api(settings(url, nats_broker.url, slow_s=0.5, beat_s=0.5)) as api:
        api.wait_ready()
        with screen(api, "wst_test") as dead:
            dead.sub("stock")
            dead.receive(ack=False)
            assert closed_code(dead) == 4408
        wait_until(lambda: api.count("waystock_ws_clients") == 0, "nobody is left")


def test_who_does_not_sign_in_is_closed(api: Api) -> None:
    with screen(api) as silent:
        assert closed_code(silent) == 4401
    with screen(api) as rude:
        rude.sub("stock")
        assert closed_code(rude) == 4401
    with screen(api, "wst_wrong") as wrong:
        assert closed_code(wrong) == 4401
    assert api.count("waystock_ws_closed_total", code="4401") == 3


def test_a_revoked_token_ends_a_running_connection(api: Api) -> None:
    with screen(api, "wst_test") as client:
        client.sub("stock")
        client.receive()
        with connect(api.database_url, "test") as database:
            revoke_token(database, "wst-test")
        assert closed_code(client) == 4401


def test_a_cookie_signs_in_pages_of_this_server_and_no_others(api: Api) -> None:
    add_user(api.database_url)
    cookie = login(api).headers["set-cookie"].partition(";")[0]
    headers = {"Cookie": cookie}
    with screen(api, origin=api.url, additional_headers=headers) as page:
        page.sub("stock")
        assert page.receive()["type"] == "snap"
    with screen(api, origin="https://evil.example", additional_headers=headers) as foreign:
        assert closed_code(foreign) == 4401


def test_beats_come_with_the_servers_time(api: Api) -> None:
    with screen(api, "wst_test") as client:
        for _ in range(3):
            beat = json.loads(client.socket.recv(timeout=5))
            assert beat["type"] == "beat"
            assert beat["at"].endswith("Z")


def test_frames_that_make_no_sense_are_answered_and_then_closed(api: Api) -> None:
    with screen(api, "wst_test") as client:
        client.socket.send("garbage")
        error = client.receive()
        assert (error["type"], error["code"]) == ("error", "bad_message")
        client.sub("stock")
        assert client.receive()["type"] == "snap", "one mistake ends nothing"
        client.send(type="ack", id=99, seq=1)
        client.send(type="unsub", id=99)
        for _ in range(40):
            client.socket.send('{"x":' + "[" * 20_000)
        assert closed_code(client) == 1008
    wait_until(lambda: api.count("waystock_ws_clients") == 0, "nobody is left")


def test_a_malformed_live_message_is_counted_and_stops_nothing(api: Api, publisher: Ingest) -> None:
    topic = live_topic("sha", "stock")
    garbage = (
        b"", b"\xff\xfe", b"{}", b"[" * 10_000, b'{"v":2}', b'{"v":1,"publisher":"\xff"}',
        b'{"v":1,"publisher":"p","epoch":"e","seq":1,"sent_at":"2026-11-23T00:00:00Z",'
        b'"entities":[{"key":"x"}]}',
    )  # fmt: skip
    for payload in garbage:
        publisher.raw(topic, payload)
    publisher.raw("waystock/v1/live/sha/secrets", b"{}")
    with screen(api, "wst_test") as client:
        client.sub("stock")
        client.receive()
        publisher.publish("stock", tea(8, later()))
        client.receive_until(KEY, on_hand=8)
    refused = "waystock_live_messages_refused_total"
    assert api.count(refused, reason="malformed") == len(garbage)
    assert api.count(refused, reason="topic") == 1


def test_a_broker_that_was_away_costs_no_change(
    api: Api, nats_broker: Broker, publisher: Ingest
) -> None:
    with screen(api, "wst_test") as client:
        client.sub("stock")
        client.receive_until(KEY, on_hand=12)
        nats_broker.kill()
        wait_until(lambda: not api.services.feed.connected, "the loss is noticed")
        assert "broker" in api.get("/readyz").json()["missing"]
        with connect(api.database_url, "test") as database:
            database.execute(
                "UPDATE stock_position SET on_hand = 0, changed_at = clock_timestamp()"
                " WHERE location = 'sha/bin-1'"
            )
        nats_broker.start()
        wait_until(lambda: client.receive(timeout_s=20) and True, "a change")
        client.receive_until(KEY, on_hand=8)


def test_two_replicas_show_the_same(url: str, nats_broker: Broker, publisher: Ingest) -> None:
    chosen = settings(url, nats_broker.url)
    with running_api(chosen) as one, running_api(chosen) as two:
        one.wait_ready()
        two.wait_ready()
        with screen(one, "wst_test") as first, screen(two, "wst_test") as second:
            for client in (first, second):
                client.sub("stock")
                client.receive()
            base = later()
            for n in (3, 1, 2):
                publisher.publish("stock", tea(n, base + n))
            for client in (first, second):
                client.receive_until(KEY, on_hand=3)
            assert first.seen == second.seen
            assert first.epoch != second.epoch, "a client that changes replica starts afresh"
