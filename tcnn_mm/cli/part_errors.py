"""One line for a part of a config that cannot be built: its type is unknown, or an argument is.

The arguments of our own parts are compared before anything is built (`engine/config_parts.py`).
Those of others cannot be: many pass on what they do not know.
"""

import inspect
import re
import traceback
from collections.abc import Iterable, Mapping
from typing import Any

from mmengine.registry import Registry, build_from_cfg

from tcnn_mm.engine.config_keys import name_advice, nearest
from tcnn_mm.engine.config_parts import replacing_advice

_UNEXPECTED = re.compile(r"got an unexpected keyword argument '(\w+)'")
_LACKING = re.compile(r'missing \d+ required (?:positional|keyword-only) arguments?: (.*)')
# Of a list of names in a message.
_MOST = 12
# What the toolbox gives to the parts that it builds.
_GIVEN = {'self', 'params', 'optimizer', 'dataset'}


def part_error(error: Exception) -> str | None:
    """Say what is wrong with the part of a config whose building raised an error.

    Returns:
        None for an error that is not about the part's type or the names of its arguments.
    """
    found = part_being_built(error)
    if found is None:
        return None
    config, registry = found
    if isinstance(error, KeyError):
        text = str(error.args[0]) if error.args else ''
        return _unknown_type(config, registry) if 'is not in the' in text else None
    kind = _part(config, registry)
    unexpected = _UNEXPECTED.search(str(error))
    if unexpected and unexpected.group(1) in config:
        return _unknown_argument(config, unexpected.group(1), kind)
    lacking = _LACKING.search(str(error))
    if lacking and _raised_by(error, kind):
        return f"type={_name(config)!r}: needs {lacking.group(1)}; give it in the part's dict"
    return None


def part_being_built(error: BaseException) -> tuple[Mapping[str, Any], Any] | None:
    """Return config and registry of the innermost part whose building raised an error, if any."""
    built = [
        frame.f_locals
        for frame, _ in traceback.walk_tb(error.__traceback__)
        if frame.f_code is build_from_cfg.__code__
    ]
    return (built[-1]['cfg'], built[-1]['registry']) if built else None


def _name(config: Mapping[str, Any]) -> str:
    kind = config['type']
    return kind if isinstance(kind, str) else getattr(kind, '__name__', str(kind))


def _part(config: Mapping[str, Any], registry: Registry) -> Any:
    kind = config['type']
    return registry.get(kind) if isinstance(kind, str) else kind


def _raised_by(error: Exception, kind: Any) -> bool:
    """Whether the call itself failed: no frame of the part's own code is in the traceback."""
    code = getattr(getattr(kind, '__init__', None), '__code__', None)
    return all(frame.f_code is not code for frame, _ in traceback.walk_tb(error.__traceback__))


def _unknown_type(config: Mapping[str, Any], registry: Registry) -> str:
    name = _name(config)
    known = {each: each for each in _names(registry)}
    # `MaxAggregator` for `tcnn_mm.MaxAggregator`.
    short = {each.rpartition('.')[2]: each for each in known}
    match = known.get(nearest(name, known) or '') or short.get(nearest(name, short) or '')
    best = short.get(name) or match
    return f'type={name!r}: no registered part ({registry.name})' + (
        f'; nearest: {best}' if best else '; docs/parts.md lists ours'
    )


def _names(registry: Registry) -> Iterable[str]:
    """Names of parts as configs have them: of a registry, its parents and their children."""
    root = registry
    while root.parent is not None:
        root = root.parent
    yield from root.module_dict
    for scope, child in root.children.items():
        yield from (f'{scope}.{name}' for name in child.module_dict)


def _unknown_argument(config: Mapping[str, Any], key: str, kind: Any) -> str:
    return (
        f'type={_name(config)!r}, {key}={config[key]!r}: it has no argument {key}; '
        + name_advice(key, _arguments(kind), _MOST)
        + replacing_advice('KEY.')
    )


def _arguments(kind: Any) -> set[str]:
    """Names that a part takes; where it passes on what it does not know, those of its bases too."""
    found: set[str] = set()
    calls = [
        vars(each)['__init__']
        for each in getattr(kind, '__mro__', ())
        if '__init__' in vars(each) and each is not object
    ]
    for call in calls or [kind]:
        parameters = inspect.signature(call).parameters.values()
        found |= {p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}
        if not any(p.kind == p.VAR_KEYWORD for p in parameters):
            break
    return found - _GIVEN
