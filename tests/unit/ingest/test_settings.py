"""Settings of ingest: what a person sets is what runs, and what can't work is refused in words."""

import pytest

from waystock_ingest.settings import parse_settings

NEEDED = {"WAYSTOCK_DATABASE_URL": "postgresql://x", "WAYSTOCK_MQTT_URL": "mqtt://broker"}


def test_alone_a_worker_has_a_fixed_name_and_no_group() -> None:
    settings = parse_settings((), NEEDED)
    assert (settings.worker, settings.group) == ("ingest-1", None)


def test_a_group_is_set_by_argument_or_environment_and_names_its_workers_apart() -> None:
    by_argument = parse_settings(("--shared", "ingest"), NEEDED)
    by_environment = parse_settings((), {**NEEDED, "WAYSTOCK_INGEST_GROUP": "ingest"})
    assert by_argument == by_environment
    assert by_argument.group == "ingest"
    assert by_argument.worker.startswith("ingest-")
    named = parse_settings((), {**NEEDED, "WAYSTOCK_INGEST_WORKER": "w7"})
    assert named.worker == "w7"


def test_a_group_whose_name_would_be_another_topic_is_refused() -> None:
    with pytest.raises(ValueError, match="group"):
        parse_settings(("--shared", "a/#"), NEEDED)
