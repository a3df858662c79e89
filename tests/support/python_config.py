"""Write a config as pure Python: types as imported classes, mmengine's newer style of configs."""

from typing import Any

from mmengine import registry
from mmengine.config import Config

import tcnn_mm.registry as ours

REGISTRIES = [
    each
    for module in (ours, registry)
    for each in vars(module).values()
    if isinstance(each, registry.Registry)
]


def python_config(cfg: Config) -> str:
    """Source that reads to the same config, with a class in the place of each type's name."""
    imports: dict[str, str] = {}
    lines = [f'{key} = {_source(value, imports)}' for key, value in cfg.to_dict().items()]
    names = [f'from {module} import {name}' for name, module in sorted(imports.items())]
    return '\n'.join([*names, '', *lines]) + '\n'


def _source(value: Any, imports: dict[str, str]) -> str:
    if isinstance(value, dict):
        parts = [
            f'{key}={_class_name(item, imports) if key == "type" else _source(item, imports)}'
            for key, item in value.items()
        ]
        return f'dict({", ".join(parts)})'
    if isinstance(value, (list, tuple)):
        inner = ''.join(f'{_source(each, imports)}, ' for each in value)
        return f'[{inner}]' if isinstance(value, list) else f'({inner})'
    return repr(value)


def _class_name(kind: Any, imports: dict[str, str]) -> str:
    """Name of a class, whose module is added to the imports."""
    if isinstance(kind, str):
        found = [each.get(kind) for each in REGISTRIES if kind.split('.')[-1] in _names(each)]
        kind = next(each for each in found if each is not None)
    imports[kind.__name__] = kind.__module__
    return kind.__name__


def _names(each: registry.Registry) -> set[str]:
    each.import_from_location()
    return {*each.module_dict}
