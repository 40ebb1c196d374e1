"""`make gateway-install`: build the wheels of core and gateway, install them with all they need
into a new environment, and say what it took of the disk, compiled modules too. Asks the package
index that pip is set up for.
"""

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
BYTES_MAX = 10_000_000
FORBIDDEN = {"psycopg", "fastapi", "shapely", "numpy", "numba"}


def main() -> int:
    """Exit status 1 where the install is too large or brings what belongs on a server."""
    with tempfile.TemporaryDirectory(prefix="waystock-install-") as folder:
        wheels, environment = Path(folder) / "wheels", Path(folder) / "venv"
        members = [str(ROOT / "core"), str(ROOT / "gateway")]
        _pip(sys.executable, "wheel", "--no-deps", "--no-build-isolation", "-w", wheels, *members)
        venv.create(environment, with_pip=True)
        before = disk_bytes(environment)
        python = str(environment / "bin" / "python")
        _pip(python, "install", *wheels.glob("*.whl"))
        added = disk_bytes(environment) - before
        [packages] = environment.glob("lib/python*/site-packages")
        brought = {path.name for path in packages.iterdir() if path.is_dir()} & FORBIDDEN
        command = [str(environment / "bin" / "waystock"), "gateway", "--help"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    sys.stdout.write(
        json.dumps({"bytes": added, "bytes_max": BYTES_MAX, "forbidden": sorted(brought)}) + "\n"
    )
    return 1 if added >= BYTES_MAX or brought else 0


def disk_bytes(folder: Path) -> int:
    """What `du` says: whole blocks."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if not path.is_symlink())


def _pip(python: str, command: str, *arguments: str | Path) -> None:
    subprocess.run(
        [python, "-m", "pip", "--disable-pip-version-check", command, "-q", *map(str, arguments)],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    sys.exit(main())
