"""Rules that run once per fix or row, compiled by numba to machine code on first use. `compiled`
marks such a function; what it calls must be marked too. Upstream: `waystock.fleet`, COPY rows.

The machine code is kept in the user's cache folder, so that only the first start on a machine pays
for it. numba looks at one file when it judges whether kept code is still right, not at what that
file calls; so the folder's name is a digest of all the sources that are compiled.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")

_PACKAGE = Path(__file__).parent
_SOURCES = (
    "compiled.py",
    "store/arrays.py",
    "store/binary_copy.py",
    "store/plain_*.py",
    "fleet/*.py",
)


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The function as machine code: strict floating point (a division by zero gives inf or NaN and
    raises nothing), no interpreter lock while it runs, no entry for C. It is made part of what
    calls it: a plan's arrays handed on from rule to rule, each counted in and out, took half the
    time of a fix."""
    make = cast(Any, numba.njit)
    made = make(
        function,
        cache=True,
        nogil=True,
        error_model="numpy",
        no_cfunc_wrapper=True,
        forceinline=True,
    )
    return cast(Callable[P, R], made)


def _cache_folder() -> str:
    digest = hashlib.blake2b(numba.__version__.encode(), digest_size=8)
    for pattern in _SOURCES:
        for path in sorted(_PACKAGE.glob(pattern)):
            digest.update(path.read_bytes())
    name = f"compiled-{digest.hexdigest()}"
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path("~").expanduser() / ".cache")
    shared = Path(tempfile.gettempdir())
    for place in (Path(cache) / "waystock", shared / f"waystock-{os.getuid()}"):
        if _is_ours(place / name):
            return str(place / name)
    return tempfile.mkdtemp(prefix="waystock-compiled-")


def _is_ours(folder: Path) -> bool:
    """Whether it could be made, and is nobody else's to write to: what lies there is run."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        owners = {folder.stat().st_uid, folder.parent.stat().st_uid}
    except OSError:
        return False
    return owners == {os.getuid()} and os.access(folder, os.W_OK)


cast(Any, numba).config.CACHE_DIR = _cache_folder()
