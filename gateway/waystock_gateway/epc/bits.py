"""Reads fields off the front of an EPC memory bank. Used by `schemes` alone."""

from waystock_gateway.epc.characters import ENCODABLE


class MalformedError(ValueError):
    """The bits can't be what the header promises; the message says which field."""


class BitReader:
    """Consumes bits from the most significant end."""

    def __init__(self, data: bytes, bits: int) -> None:
        self._value = int.from_bytes(data, "big") >> (len(data) * 8 - bits)
        self._left = bits

    def number(self, bits: int) -> int:
        """The next `bits` as an unsigned number."""
        self._left -= bits
        return (self._value >> self._left) & ((1 << bits) - 1)

    def digits(self, bits: int, digits: int, what: str) -> str:
        """A number that must fit into `digits` decimal digits, with leading zeros."""
        value = self.number(bits)
        if value >= 10**digits:
            raise MalformedError(f"{what} out of range")
        return str(value).zfill(digits) if digits else ""

    def text(self, bits: int, what: str) -> str:
        """Seven-bit characters up to the first NUL; all behind it must be NUL as well."""
        codes = [self.number(7) for _ in range(bits // 7)]
        self.zeros(bits % 7, f"{what} padding")
        text = "".join(map(chr, codes)).rstrip("\x00")
        if not text or any(character not in ENCODABLE for character in text):
            raise MalformedError(f"{what} holds characters outside the GS1 set")
        return text

    def zeros(self, bits: int, what: str) -> None:
        """Reserved bits."""
        if self.number(bits):
            raise MalformedError(f"{what} not zero")
