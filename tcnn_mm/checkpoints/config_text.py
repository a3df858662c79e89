"""Read the config inside a checkpoint as data: its text is Python, and none of it is run."""

import ast
from typing import Any

from mmengine.config import Config

from tcnn_mm.checkpoints.config_types import data_config
from tcnn_mm.errors import UserError

_NUMBERS = dict(inf=float('inf'), nan=float('nan'))


def _value(node: ast.expr) -> Any:
    """Value of what mmengine's `pretty_text` writes: literals, containers, `dict(key=value)`."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        kind = {ast.Tuple: tuple, ast.List: list, ast.Set: set}[type(node)]
        return kind(map(_value, node.elts))
    if isinstance(node, ast.Dict) and None not in node.keys:
        return {_value(k): _value(v) for k, v in zip(node.keys, node.values, strict=True) if k}
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.Name) and node.id in _NUMBERS:
        return _NUMBERS[node.id]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        # `dict({…}, key=value)` where a key is no name; `set()`.
        parts = [_value(part) for part in node.args]
        named = {str(word.arg): _value(word.value) for word in node.keywords if word.arg}
        if node.func.id == 'dict' and len(named) == len(node.keywords):
            return dict(*parts, **named)
        if node.func.id == 'set' and not node.args and not node.keywords:
            return set()
    raise ValueError(f'line {node.lineno} holds code: {ast.unparse(node)[:60]}')


def _assignments(text: str) -> dict[str, Any]:
    """Name → value of a text of assignments."""
    values = {}
    for line in ast.parse(text).body:
        if not (isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name)):
            raise ValueError(f'line {line.lineno} holds code: {ast.unparse(line)[:60]}')
        values[line.targets[0].id] = _value(line.value)
    return values


def read_dumped_config(path: str) -> Config:
    """Read the config that mmengine wrote into a work dir, by its values as they are.

    `Config.fromfile` would replace `{{ … }}` in names once more. A file with code is read by it.
    """
    values = dumped_values(path)
    return Config.fromfile(path) if values is None else Config(values, filename=path)


def dumped_values(path: str) -> dict[str, Any] | None:
    """Name → value of a Python config that holds data alone; None where it has code."""
    with open(path, encoding='utf-8', errors='replace') as file:
        text = file.read()
    try:
        return _assignments(text)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return None


def read_config_text(text: str, name: str) -> Config:
    """Read `meta['cfg']` of a checkpoint as a `Config`; mmengine would run it.

    Args:
        text: `Config.pretty_text`: assignments of literals and of `dict(…)`.
        name: The file, for the error.

    Raises:
        UserError: The text holds more than data, or a type that is no registered part; names the
            line or the key.
    """
    try:
        values = _assignments(text)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        raise UserError(
            f'{name}: its config cannot be read as data ({error}); give the config file'
        ) from error
    return data_config(values, name)
