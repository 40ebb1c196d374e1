"""Size and naming: what keeps a file readable in one sitting."""

import ast
import re
import subprocess

from tests.tidy.checkout import MEMBERS, ROOT, files, package_python, python, shown, texts, tree

MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
VAGUE_NAMES = re.compile(r"^_?(utils?|helpers?|common|base|misc|managers?)$")
LEFT_OVER = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|X{3}|HA" + r"CK)\b")
CODE_SUFFIXES = {".py", ".ts", ".svelte", ".js", ".mjs", ".css", ".sql"}


def test_no_module_is_longer_than_one_can_hold_in_mind() -> None:
    long = [
        f"{shown(path)} has {lines} lines"
        for path, text in texts()
        if path.suffix in CODE_SUFFIXES and (lines := text.count("\n")) > MODULE_LINES_MAX
    ]
    assert not long, long


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{shown(path, node.lineno)} {node.name} has {lines} lines"
        for path in python()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]
    assert not long, long


def test_every_module_is_named_after_what_it_is() -> None:
    vague = [
        shown(path)
        for path in files()
        if path.suffix in CODE_SUFFIXES
        and any(VAGUE_NAMES.match(part) for part in (path.stem, *path.relative_to(ROOT).parts))
    ]
    assert not vague, vague


def test_every_shipped_module_says_what_it_is_for() -> None:
    silent = [
        shown(path)
        for path in package_python()
        if tree(path).body and ast.get_docstring(tree(path)) is None
    ]
    assert not silent, silent


def test_nothing_is_left_to_be_done_in_a_comment() -> None:
    left = [
        shown(path, number)
        for path, text in texts()
        if path.suffix != ".lock"
        for number, line in enumerate(text.splitlines(), 1)
        if LEFT_OVER.search(line)
    ]
    assert not left, left


def test_every_member_says_what_it_is_in_ten_lines() -> None:
    for member in MEMBERS:
        readme = ROOT / member / "README.md"
        assert readme.exists(), member
        assert len(readme.read_text().strip().splitlines()) >= 5, f"{shown(readme)} says nothing"


def test_make_help_names_every_task() -> None:
    listed = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for task in ("setup", "demo", "dashboard", "test", "check", "format", "chaos", "bench"):
        assert f"make {task} " in listed, task
