"""What an install of one of our distributions consists of: it and all that it needs, with sizes."""

import os
import re
from importlib.metadata import Distribution, distribution
from pathlib import Path

BLOCK_BYTES = 4096
"""A file takes whole blocks of the disk."""
BYTECODE_SHARE = 1.1
"""Compiled modules are about as large as their sources; pip writes them beside."""


def closure(name: str) -> dict[str, Distribution]:
    """`name` and what it needs without extras, by normalised name, as installed here."""
    found: dict[str, Distribution] = {}
    open_names = [name]
    while open_names:
        key = re.sub(r"[-_.]+", "-", open_names.pop()).lower()
        if key not in found:
            found[key] = distribution(key)
            open_names += [
                re.split(r"[^A-Za-z0-9._-]", required, maxsplit=1)[0]
                for required in found[key].requires or ()
                if "extra ==" not in required and "python_version" not in required
            ]
    return found


def installed_bytes(one: Distribution, source: Path | None = None) -> int:
    """Disk that it takes with its compiled modules; `source`: the folder of an editable install."""
    if source is not None:
        paths = [path for path in source.rglob("*") if path.is_file()]
    else:
        paths = [Path(os.fspath(file.locate())) for file in one.files or ()]
    own = [path for path in paths if path.suffix != ".pyc" and path.exists()]
    sizes = [path.stat().st_size for path in own]
    sizes += [int(path.stat().st_size * BYTECODE_SHARE) for path in own if path.suffix == ".py"]
    return sum(-(-size // BLOCK_BYTES) * BLOCK_BYTES for size in sizes)
