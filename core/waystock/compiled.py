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
_SOURCES = ("compiled.py", "store/binary_copy.py", "fleet/*.py")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The function as machine code: strict floating point (a division by zero gives inf or NaN and
    raises nothing), no interpreter lock while it runs."""
    return _compile(function, no_cpython_wrapper=False)


def inner(function: Callable[P, R]) -> Callable[P, R]:
    """`compiled` for what only compiled functions call: without a way in from Python, which takes a
    third of the time of compiling."""
    return _compile(function, no_cpython_wrapper=True)


def _compile(function: Callable[P, R], **options: bool) -> Callable[P, R]:
    make = cast(Any, numba.njit)
    made = make(
        function, cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True, **options
    )
    return cast(Callable[P, R], made)


def _cache_folder() -> str:
    digest = hashlib.blake2b(numba.__version__.encode(), digest_size=8)
    for pattern in _SOURCES:
        for path in sorted(_PACKAGE.glob(pattern)):
            digest.update(path.read_bytes())
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = home / "waystock" / f"compiled-{digest.hexdigest()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = Path(tempfile.gettempdir()) / f"waystock-{os.getuid()}" / folder.name
        folder.mkdir(parents=True, exist_ok=True)
    return str(folder)


cast(Any, numba).config.CACHE_DIR = _cache_folder()
