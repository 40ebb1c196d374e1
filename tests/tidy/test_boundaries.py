"""What import-linter cannot say: white lists, clocks in pure rules, where SQL may stand."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.tidy.checkout import ROOT, files, package_python, shown, tree

CONTRACT = ROOT / "core/waystock/contract"
STORE = ROOT / "core/waystock/store"
GATEWAY = ROOT / "gateway/waystock_gateway"
PURE = tuple(ROOT / "core/waystock" / name for name in ("stock", "fleet", "alerts", "reports"))
CONTRACT_MAY_IMPORT = {"msgspec", "biip", "waystock.contract"}
CLOCK_READS = {"now", "utcnow", "today", "time", "monotonic", "perf_counter", "uuid4", "uuid7"}
SQL = re.compile(
    r"^\s*(?:SELECT\s.+\sFROM\s|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s"
    r"|(?:CREATE|ALTER|DROP)\s+(?:TABLE|INDEX|VIEW|DATABASE|EXTENSION)\s)",
    re.DOTALL,
)


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.lineno, node.module


def test_the_wire_contract_installs_with_next_to_nothing() -> None:
    foreign = [
        f"{shown(path, line)} imports {module}"
        for path in package_python()
        if path.is_relative_to(CONTRACT)
        for line, module in _imports(path)
        if module.split(".")[0] not in sys.stdlib_module_names
        and not any(
            module == allowed or module.startswith(allowed + ".") for allowed in CONTRACT_MAY_IMPORT
        )
    ]
    assert not foreign, foreign


def test_pure_rules_read_no_clock() -> None:
    reads = [
        shown(path, node.lineno)
        for path in package_python()
        if any(path.is_relative_to(folder) for folder in PURE)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCK_READS
        and not (isinstance(node.func.value, ast.Name) and node.func.value.id == "self")
        and not _is_time_of_datetime(node)
    ]
    assert not reads, reads


def _is_time_of_datetime(call: ast.Call) -> bool:
    """`instant.time()` takes a datetime apart; only `time.time()` reads a clock."""
    function = call.func
    return (
        isinstance(function, ast.Attribute)
        and function.attr == "time"
        and not (isinstance(function.value, ast.Name) and function.value.id == "time")
    )


def test_sql_is_only_where_the_store_is() -> None:
    elsewhere = [
        shown(path, node.lineno)
        for path in package_python()
        if not _may_hold_sql(path)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value)
    ]
    elsewhere += [
        shown(path) for path in files() if path.suffix == ".sql" and not _may_hold_sql(path)
    ]
    assert not elsewhere, elsewhere


def _may_hold_sql(path: Path) -> bool:
    """The store; the gateway's outbox, whose SQLite file is nobody else's; and what it is measured
    beside."""
    is_outbox = path.parent == GATEWAY and re.match(r"outbox(_[a-z]+)?$", path.stem)
    return path.is_relative_to(STORE) or bool(is_outbox) or path.stem == "raw_sqlite"


def test_no_statement_is_glued_together_from_strings() -> None:
    glued = [
        shown(path, node.lineno)
        for path in package_python()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"execute", "executemany", "copy", "stream", "executescript"}
        and node.args
        and _is_glued(node.args[0])
    ]
    assert not glued, glued


def _is_glued(argument: ast.expr) -> bool:
    """An f-string with values in it, `+` or `%` on strings, or `.format()` of a plain string.
    SQLite's PRAGMA takes no parameters, so there it is the only way.
    """
    if isinstance(argument, ast.JoinedStr):
        first = argument.values[0]
        pragma = isinstance(first, ast.Constant) and str(first.value).startswith("PRAGMA ")
        return not pragma and any(isinstance(part, ast.FormattedValue) for part in argument.values)
    if isinstance(argument, ast.BinOp):
        return True
    return (
        isinstance(argument, ast.Call)
        and isinstance(argument.func, ast.Attribute)
        and argument.func.attr == "format"
        and isinstance(argument.func.value, ast.Constant)
    )


def test_migrations_are_numbered_without_gaps() -> None:
    names = sorted(path.name for path in files() if path.parent == STORE / "migrations")
    assert names
    for number, name in enumerate(names, 1):
        assert re.fullmatch(rf"{number:04d}_[a-z0-9_]+(\.post)?\.sql", name), name
