"""GS1 keys and element strings: check digits, GTIN, SSCC, GLN, and the data of GS1-128 labels.
Upstream: the world's numbers; downstream: labels that handhelds scan. Source: GS1 General
Specifications, sections 3 (application identifiers), 5.10 (concatenation) and 7.9 (check digits).
"""

FNC1 = "\x1d"
GS1_128_CHARS_MAX = 48

AIM_GS1_128 = "]C1"
AIM_EAN_13 = "]E0"


def check_digit(digits: str) -> str:
    """The modulo-10 check digit for a GTIN, SSCC or GLN body without its last digit."""
    weighted = sum(int(digit) * (3, 1)[i % 2] for i, digit in enumerate(reversed(digits)))
    return str(-weighted % 10)


def gtin_14(company_prefix: str, item: int) -> str:
    """GTIN-13 of the company's item, as fourteen digits with its leading zero."""
    body = company_prefix + str(item).zfill(12 - len(company_prefix))
    return f"0{body}{check_digit(body)}"


def gln(company_prefix: str, place: int) -> str:
    """Thirteen digits."""
    body = company_prefix + str(place).zfill(12 - len(company_prefix))
    return body + check_digit(body)


def sscc(extension: int, company_prefix: str, serial: int) -> str:
    """Eighteen digits; ValueError when the serial is too long for the prefix."""
    body = f"{extension}{company_prefix}{str(serial).zfill(16 - len(company_prefix))}"
    if len(body) != 17:
        raise ValueError(f"SSCC serial {serial} does not fit prefix {company_prefix}")
    return body + check_digit(body)


def pallet_label(sscc_18: str, gtin: str, count: int, lot: str) -> str:
    """(00)(02)(37)[(10)]: what a supplier sticks on a homogeneous pallet.

    ValueError beyond the 48 characters of a GS1-128 symbol.
    """
    lot_part = f"{FNC1}10{lot}" if lot else ""
    label = f"00{sscc_18}02{gtin}37{count}{lot_part}"
    if len(label) > GS1_128_CHARS_MAX:
        raise ValueError(f"pallet label of {len(label)} characters")
    return label


def logistic_label(sscc_18: str) -> str:
    """(00) alone."""
    return f"00{sscc_18}"


def item_label(gtin: str, quantity: int, lot: str) -> str:
    """(01)[(10)](30): a case or a handful of one product."""
    lot_part = f"10{lot}{FNC1}" if lot else ""
    return f"01{gtin}{lot_part}30{quantity}"


def location_label(gln_13: str, extension: str) -> str:
    """(414)(254): a bin, a dock door. AI 414 has a fixed length and needs no separator."""
    return f"414{gln_13}254{extension}"


def order_label(purchase_order: str) -> str:
    """(400): the sheet that closes a delivery."""
    return f"400{purchase_order}"
