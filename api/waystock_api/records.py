"""What a request says of a thing, as the record of the master-data document: so that the api and a
file mean and refuse the same.
"""

from typing import Any, TypeVar

import msgspec
from fastapi import HTTPException

Record = TypeVar("Record", bound=msgspec.Struct)


def record(kind: type[Record], title: str, /, **said: Any) -> Record:
    """422 where a value can't be used; `title` says of what."""
    try:
        return msgspec.convert(said, kind)
    except msgspec.ValidationError as error:
        raise HTTPException(422, f"{title}: {error}.") from error
