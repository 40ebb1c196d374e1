"""The GS1 mod-10 check digit (General Specifications, section 7.9) of GTIN, SSCC, GLN and their
kin.
"""


def check_digit(digits: str) -> str:
    """The digit that completes `digits`."""
    total = sum(int(c) * (1 if i % 2 else 3) for i, c in enumerate(reversed(digits)))
    return str(-total % 10)


def has_valid_check_digit(digits: str) -> bool:
    """Whether the last of `digits` is the check digit of those before it."""
    return check_digit(digits[:-1]) == digits[-1:]
