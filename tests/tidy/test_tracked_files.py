"""What may not be committed: places of one machine, registries of one network, generated locks."""

import re

from tests.tidy.checkout import ROOT, files, shown, texts

REGISTRIES = re.compile(
    r"(?:pypi\.org|files\.pythonhosted\.org|registry\.npmjs\.org|registry\.yarnpkg\.com"
    r"|npmmirror\.com|mirrors?\.(?:aliyun|tuna|ustc|huaweicloud|cloud\.tencent)[\w.]*)"
)
MACHINE_PATHS = re.compile(r"(?<![\w.$}/-])/(?:root|home|Users|work)/[\w.]")
MAY_NAME_PLACES = {"tests/tidy/test_tracked_files.py"}


def test_no_file_names_a_package_registry() -> None:
    named = [
        shown(path, number)
        for path, text in texts()
        if shown(path) not in MAY_NAME_PLACES
        for number, line in enumerate(text.splitlines(), 1)
        if REGISTRIES.search(line)
    ]
    assert not named, named


def test_no_file_names_a_folder_of_one_machine() -> None:
    named = [
        f"{shown(path, number)}: {line.strip()[:80]}"
        for path, text in texts()
        if shown(path) not in MAY_NAME_PLACES
        for number, line in enumerate(text.splitlines(), 1)
        if MACHINE_PATHS.search(line)
    ]
    assert not named, named


def test_there_is_one_lock_of_each_kind_and_it_names_no_host() -> None:
    names = {shown(path) for path in files()}
    assert not {name for name in names if name.endswith(("uv.lock", "yarn.lock", "pnpm-lock.yaml"))}
    lock = (ROOT / "requirements.lock").read_text()
    assert "--hash=sha256:" in lock
    assert "://" not in lock
    for path in files():
        if path.name == "package-lock.json":
            assert '"resolved": "http' not in path.read_text(), shown(path)
