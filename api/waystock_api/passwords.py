"""Passwords and tokens: scrypt with its parameters in the stored text, and random 32-byte tokens
that are stored as SHA-256. Pure apart from the random bytes, which come in.
"""

import base64
import hashlib
import hmac

N, R, P = 2**15, 8, 1
SCRYPT_BYTES_MAX = 64 * 1024 * 1024
"""OpenSSL's limit must lie above 128·N·R = 32 MiB."""
PASSWORD_CHARS_MIN = 8
PASSWORD_CHARS_MAX = 1024
TOKEN_PREFIX = "wst_"  # noqa: S105
"""The mark by which a leaked token is recognised; no secret itself."""


def hash_password(password: str, salt: bytes) -> str:
    """`scrypt$n$r$p$salt$hash`, base64. Takes some 60 ms and 32 MiB."""
    digest = _scrypt(password, salt, N, R, P)
    return f"scrypt${N}${R}${P}${_text(salt)}${_text(digest)}"


def password_matches(password: str, stored: str) -> bool:
    """Whether `password` is the one behind `stored`; constant in time for texts of one length.

    Raises ValueError where `stored` is not what hash_password makes.
    """
    scheme, n, r, p, salt, digest = stored.split("$")
    if scheme != "scrypt":
        raise ValueError(f"unknown password scheme {scheme!r}")
    given = _scrypt(password, base64.b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(given, base64.b64decode(digest))


def token_text(random_bytes: bytes) -> str:
    """How a token made of 32 random bytes is written."""
    return TOKEN_PREFIX + base64.urlsafe_b64encode(random_bytes).rstrip(b"=").decode()


def token_hash(token: str) -> bytes:
    """What is stored of a token. It has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"), salt=salt, n=n, r=r, p=p,
        maxmem=SCRYPT_BYTES_MAX, dklen=32,
    )  # fmt: skip


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
