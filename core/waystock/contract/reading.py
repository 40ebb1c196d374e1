"""Decoding of JSON from strangers: whatever is wrong with it, one kind of error says so."""

from typing import TypeVar

import msgspec

T = TypeVar("T")


def read(decoder: msgspec.json.Decoder[T], data: bytes | str | msgspec.Raw) -> T:
    """The value; msgspec.DecodeError for malformed JSON, bad UTF-8 and nesting without end, its
    subclass ValidationError for what is well-formed but not the contract.
    """
    try:
        return decoder.decode(data)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(f"not UTF-8: {error}") from error
    except RecursionError as error:
        raise msgspec.DecodeError("JSON is nested too deep") from error
