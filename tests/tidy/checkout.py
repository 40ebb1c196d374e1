"""What the tidiness tests look at: the files of the checkout that git tracks or would add."""

import ast
import functools
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MEMBERS = ("core", "gateway", "ingest", "api", "firmware-sim", "deploy")
PACKAGES = {
    "core/waystock",
    "gateway/waystock_gateway",
    "ingest/waystock_ingest",
    "api/waystock_api",
    "firmware-sim/waystock_firmware_sim",
    "deploy/waystock_demo",
}
_BINARY = {".png", ".jpg", ".jpeg", ".webp", ".ico", ".woff", ".woff2", ".pdf", ".gz"}


@functools.cache
def files() -> tuple[Path, ...]:
    """Every file that git tracks or would add; all files where this is not a git checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        names = [name for name in listed.stdout.decode().split("\0") if name]
        found = [ROOT / name for name in names]
    else:
        found = [path for path in ROOT.rglob("*") if not _is_generated(path)]
    return tuple(path for path in found if path.is_file() and not path.is_symlink())


def _is_generated(path: Path) -> bool:
    made = {".venv", ".waystock", "node_modules", "__pycache__", "static", ".git"}
    return bool(made & set(path.relative_to(ROOT).parts)) or path.name.startswith(".coverage")


def texts() -> Iterator[tuple[Path, str]]:
    """Path and content of every text file."""
    for path in files():
        if path.suffix not in _BINARY:
            yield path, path.read_text(errors="replace")


def python() -> Iterator[Path]:
    """Every Python file."""
    return (path for path in files() if path.suffix == ".py")


def package_python() -> Iterator[Path]:
    """Every Python file that is shipped."""
    return (path for path in python() if any(_within(path, package) for package in PACKAGES))


def _within(path: Path, folder: str) -> bool:
    return path.is_relative_to(ROOT / folder)


@functools.cache
def tree(path: Path) -> ast.Module:
    """The parsed module."""
    return ast.parse(path.read_text(), filename=str(path))


def shown(path: Path, line: int | None = None) -> str:
    """`folder/file.py:12`, as a terminal makes it clickable."""
    name = str(path.relative_to(ROOT))
    return name if line is None else f"{name}:{line}"
