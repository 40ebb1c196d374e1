"""`waystock dead-letter list|show|retry|drop|restore`: what a person does about messages and
readings that could not be taken in. One JSON object a line on standard output. Upstream: an
operator; downstream: the store, and by retry the pipeline.
"""

import argparse
import getpass
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from waystock.contract.events import inflate
from waystock.contract.identifiers import iso_utc
from waystock.contract.topics import parse_gateway_topic
from waystock.store import dead_letters
from waystock.store.connection import Database, connect
from waystock.store.dead_letters import ListedLetter, Waiting
from waystock.store.errors import StoreError
from waystock_ingest.dead_letter_arguments import parse_arguments
from waystock_ingest.dead_letter_retry import (
    NOT_THERE,
    Correction,
    Outcome,
    retry_letters,
    why_unreadable,
)
from waystock_ingest.master import Master


def run(arguments: Sequence[str]) -> int:
    """Exit status 0; 1 where something was refused again; 2 for unusable arguments, or where the
    database can't be used (what was told until then is done).
    """
    options = parse_arguments(arguments)
    url = os.environ.get("WAYSTOCK_DATABASE_URL", "")
    if not url:
        return _fail("set WAYSTOCK_DATABASE_URL, such as postgresql://user:password@host/name")
    try:
        with connect(url, "dead-letter", autocommit=True) as database:
            match options.command:
                case "list":
                    return _list(database, options)
                case "show":
                    return _show(database, options.id, options.save)
                case "retry":
                    return _retry(database, options)
                case "drop":
                    return _drop(database, options)
                case _:
                    return _restore(database, options.ids)
    except (OSError, StoreError) as error:
        return _fail(str(error).strip())


def _list(database: Database, options: argparse.Namespace) -> int:
    asked = (database, options.stage, options.since, options.after, options.limit)
    if not options.dropped:
        for letter in dead_letters.list_letters(*asked):
            _print(_listed(letter))
        return 0
    for dropped in dead_letters.list_dropped(*asked):
        _print(
            {
                **_listed(dropped.letter),
                "dropped_at": iso_utc(dropped.dropped_at),
                "by": dropped.dropped_by,
                "because": dropped.dropped_because,
                "restorable": not dropped.is_corrected,
            }
        )
    return 0


def _show(database: Database, dead_letter_id: int, save: Path | None) -> int:
    letter = dead_letters.read_letter(database, dead_letter_id)
    if letter is None:
        return _fail(f"there is no dead letter {dead_letter_id}")
    payload, encoding = _readable(letter.payload)
    if save is not None:
        save.write_bytes(payload)
    why_not = why_unreadable(database, letter)
    _print(
        {
            **_listed(ListedLetter(*letter[:8], payload_bytes=len(letter.payload))),
            "encoding": encoding,
            "payload": payload.hex() if encoding == "hex" else payload.decode(),
            "would_retry": why_not is None,
            **({} if why_not is None else {"why_not": why_not}),
        }
    )
    return 0


def _readable(payload: bytes) -> tuple[bytes, str]:
    """The payload as a person can read it, and how it came: `text`, `deflated`, or else `hex`."""
    try:
        plain = inflate(payload)
        plain.decode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return payload, "hex"
    return plain, "text" if plain is payload else "deflated"


def _retry(database: Database, options: argparse.Namespace) -> int:
    correction: Correction | None = None
    if options.edit is not None:
        correction = Correction(options.edit.read_bytes(), options.by or _who())
    waiting = dead_letters.waiting(database, options.ids or None, options.stage)
    refused = False
    for outcome in _outcomes(database, options.ids, waiting, correction):
        _print(
            {
                "id": outcome.dead_letter_id,
                "result": outcome.result,
                **({"reason": outcome.reason} if outcome.reason else {}),
            }
        )
        refused = refused or outcome.result == "refused" or not outcome.is_whole
    return 1 if refused else 0


def _outcomes(
    database: Database,
    ids: Sequence[int],
    waiting: Sequence[Waiting],
    correction: Correction | None,
) -> Iterator[Outcome]:
    there = {one.dead_letter_id for one in waiting}
    for name in dict.fromkeys(ids):
        if name not in there:
            yield Outcome(name, "gone", NOT_THERE)
    if waiting:
        yield from retry_letters(database, waiting, Master(database), correction)


def _drop(database: Database, options: argparse.Namespace) -> int:
    by = options.by or _who()
    dropped = dead_letters.drop_letters(
        database, options.ids or None, options.stage, options.reason, by
    )
    for name in dropped:
        _print({"id": name, "result": "dropped"})
    for name in sorted(set(options.ids) - set(dropped)):
        _print({"id": name, "result": "gone", "reason": NOT_THERE})
    return 0


def _restore(database: Database, ids: Sequence[int]) -> int:
    refused = False
    for name in dict.fromkeys(ids):
        now = dead_letters.restore_letter(database, name)
        if now == name:
            _print({"id": name, "result": "restored"})
        elif now is not None:
            reason = f"the same message had come again, as dead letter {now}"
            _print({"id": name, "result": "restored", "reason": reason})
        elif dead_letters.is_corrected(database, name):
            refused = True
            reason = "it is in the store as it was corrected"
            _print({"id": name, "result": "refused", "reason": reason})
        else:
            _print({"id": name, "result": "gone", "reason": "no such letter was dropped"})
    return 1 if refused else 0


def _listed(letter: ListedLetter) -> dict[str, object]:
    owner = parse_gateway_topic(letter.topic)
    return {
        "id": letter.dead_letter_id,
        "received_at": iso_utc(letter.received_at),
        "topic": letter.topic,
        "site": owner.site if owner else None,
        "gateway": owner.gateway if owner else None,
        "stream": str(letter.stream) if letter.stream else None,
        "offset": letter.stream_offset,
        "stage": letter.stage,
        "reason": letter.reason,
        "times": letter.times,
        "bytes": letter.payload_bytes,
    }


def _who() -> str:
    """The login; in a container there may be none, then the number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _print(line: dict[str, object]) -> None:
    # At once: what is told is done, whatever ends this process.
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    sys.stdout.flush()


def _fail(why: str) -> int:
    sys.stderr.write(f"waystock dead-letter: {why}\n")
    return 2
