"""What the contract's modules say of their fields: the sentence below a field, or below the type
it names, becomes the field's description in the published schema.
"""

import ast
import inspect
from itertools import pairwise
from types import ModuleType
from typing import NamedTuple


class Descriptions(NamedTuple):
    """Sentences by struct and field, and by the name of a type."""

    fields: dict[str, dict[str, str]]
    types: dict[str, str]


def read_descriptions(*modules: ModuleType) -> Descriptions:
    """Taken from the modules' source, as Python itself keeps no docstrings of fields."""
    trees = [ast.parse(inspect.getsource(module)) for module in modules]
    types = {
        node.targets[0].id: sentence
        for tree in trees
        for node, sentence in _told(tree.body)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    fields = {
        node.name: _fields(node, types)
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }
    return Descriptions(fields, types)


def _fields(struct: ast.ClassDef, types: dict[str, str]) -> dict[str, str]:
    declared = [node for node in struct.body if isinstance(node, ast.AnnAssign)]
    by_type = {
        node.target.id: types[name]
        for node in declared
        if isinstance(node.target, ast.Name) and (name := _type_name(node)) in types
    }
    own = {
        node.target.id: sentence
        for node, sentence in _told(struct.body)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    return by_type | own


def _type_name(field: ast.AnnAssign) -> str:
    """`Utc` of `Utc` and of `Utc | None`; empty for what is put together otherwise."""
    annotation = field.annotation
    if isinstance(annotation, ast.BinOp):
        annotation = annotation.left
    return annotation.id if isinstance(annotation, ast.Name) else ""


def _told(body: list[ast.stmt]) -> list[tuple[ast.stmt, str]]:
    """Each statement that a string follows, and that string on one line."""
    return [
        (node, " ".join(below.value.value.split()))
        for node, below in pairwise(body)
        if isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    ]
