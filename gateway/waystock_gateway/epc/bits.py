"""Reads and writes the bits of an EPC memory bank, most significant first. Upstream: the fields in
`fields` and `plus_fields`.
"""


class MalformedError(ValueError):
    """The bits can't be what the header promises, or a value doesn't fit its field; the message
    says which."""


class BitReader:
    """Consumes bits from the most significant end; reading past the end is a MalformedError."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self.left = len(data) * 8

    def number(self, bits: int) -> int:
        """The next `bits` as an unsigned number."""
        if bits > self.left:
            raise MalformedError("ends before its last field")
        self.left -= bits
        return (self._value >> self.left) & ((1 << bits) - 1)

    def zeros(self, bits: int, what: str) -> None:
        """Reserved or padding bits."""
        if self.number(bits):
            raise MalformedError(f"{what} not zero")


class BitWriter:
    """Collects bits; `words` is what a tag's bank would hold."""

    def __init__(self) -> None:
        self._value = 0
        self._bits = 0

    def number(self, value: int, bits: int, what: str = "value") -> None:
        """Append `value` in `bits` bits."""
        if value < 0 or value >> bits:
            raise MalformedError(f"{what} out of range")
        self._value = self._value << bits | value
        self._bits += bits

    def words(self) -> bytes:
        """Whole 16-bit words, padded with zeros."""
        padding = -self._bits % 16
        return (self._value << padding).to_bytes((self._bits + padding) // 8, "big")
