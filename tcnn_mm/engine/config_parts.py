"""Compare the arguments of our parts in a config with their signatures, before they are built."""

import collections.abc
import inspect
import types
import typing
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

import tcnn_mm.registry as registries
from tcnn_mm.engine.config_keys import name_advice, nearest
from tcnn_mm.errors import UserError
from tcnn_mm.registry import Registry

SCOPE = 'tcnn_mm'
# Keys that mmengine reads itself.
_MMENGINE = ('type', '_scope_', '_delete_')
_SEQUENCES = (
    list,
    tuple,
    set,
    collections.abc.Sequence,
    collections.abc.Iterable,
    collections.abc.Collection,
)


class Argument(NamedTuple):
    """An argument of a class: its type, `Any` where it is unknown."""

    hint: Any


def check_parts(cfg: Any) -> None:
    """Check names and types of the arguments of our registered parts in a config.

    Raises:
        UserError: Names the key, e.g. `model.sampler.num_patchs`, and the nearest argument; or
            what its value should be.
    """
    known = registered()
    for where, part in typed_dicts(cfg):
        kind = part['type']
        if isinstance(kind, str):
            scope, _, name = kind.rpartition('.')
            if scope != SCOPE:
                continue
            if name not in known:
                match = nearest(name, known)
                raise UserError(
                    f'{where}type: no part {kind}'
                    + (f'; nearest: {SCOPE}.{match}' if match else '; docs/parts.md lists all')
                )
            kind = known[name]
        elif not getattr(kind, '__module__', '').startswith(f'{SCOPE}.'):
            continue
        _check_arguments(part, kind, where)


def registered() -> dict[str, Any]:
    """All our registered classes and functions by name."""
    found: dict[str, Any] = {}
    for registry in vars(registries).values():
        if isinstance(registry, Registry) and registry.scope == SCOPE:
            registry.import_from_location()
            found.update(registry.module_dict)
    return found


def typed_dicts(part: Any, where: str = '') -> Iterator[tuple[str, dict[str, Any]]]:
    """All dicts with a `type` inside a config, with the keys that lead to them: 'model.head.'."""
    items: Any = ()
    if hasattr(part, 'items'):
        items = [(f'{where}{key}', value) for key, value in part.items()]
        if part.get('type') is not None:
            yield where, part
    elif isinstance(part, (list, tuple)):
        items = [(f'{where.removesuffix(".")}[{i}]', value) for i, value in enumerate(part)]
    for key, value in items:
        if hasattr(value, 'items') or isinstance(value, (list, tuple)):
            yield from typed_dicts(value, f'{key}.')


def arguments(kind: Any) -> dict[str, Argument] | None:
    """Arguments of a class of ours, those that it passes on to its bases among them.

    Of a function (`collate_fn`) those after the first, which its caller gives.

    Returns:
        Name → argument; None where a base takes any name.
    """
    found: dict[str, Argument] = {}
    if not inspect.isclass(kind):
        hints = typing.get_type_hints(kind)
        names = [*inspect.signature(kind).parameters][1:]
        return {name: Argument(hints.get(name, Any)) for name in names}
    for owner in kind.__mro__:
        init = vars(owner).get('__init__')
        if init is None or owner is object:
            continue
        ours = owner.__module__.startswith(f'{SCOPE}.')
        try:
            hints = typing.get_type_hints(init) if ours else {}
        except NameError:  # of a type that is imported for type checkers alone
            hints = {}
        named = [*inspect.signature(init).parameters.values()][1:]
        for each in named:
            if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL):
                found.setdefault(each.name, Argument(hints.get(each.name, Any)))
        if not any(each.kind == each.VAR_KEYWORD for each in named):
            return found
        if not ours:
            return None
    return found


def _check_arguments(part: dict[str, Any], kind: Any, where: str) -> None:
    known = arguments(kind)
    for key, value in part.items():
        if key in _MMENGINE or known is None:
            continue
        if key not in known:
            advice = name_advice(key, known)
            if not nearest(key, known):
                advice += replacing_advice(where)
            raise UserError(f'{where}{key}: {kind.__name__} has no such argument; {advice}')
        if not fits(value, known[key].hint):
            hint = in_words(known[key].hint)
            more = f'; write [{value!r}]' if fits([value], known[key].hint) else ''
            raise UserError(f'{where}{key}={value!r}: {kind.__name__} takes {hint}{more}')


def replacing_advice(where: str) -> str:
    """Advice for an argument that may be left of the part whose place another type has taken.

    Args:
        where: Keys that lead to the part: 'model.aggregator.'.
    """
    if where.endswith('].'):  # an entry of a list is replaced with its list
        return ''
    key = where.removesuffix('.')
    return f'; to replace a part with all its arguments, give {key}._delete_=True before {key}.type'


def fits(value: Any, hint: Any) -> bool:
    """Whether a value of a config may be given where a type is asked for; True where in doubt."""
    if hint is Any:
        return True
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, each) for each in inner)
    if origin is typing.Literal:
        return value in inner
    if hint is None or hint is type(None):
        return value is None
    if hint is bool:
        return isinstance(value, (bool, np.bool_))
    if hint in (int, float):
        numbers = (int, np.integer) if hint is int else (int, float, np.integer, np.floating)
        return isinstance(value, numbers) and not isinstance(value, bool)
    if hint is str:
        return isinstance(value, str)
    if (origin or hint) in _SEQUENCES:
        return _fits_sequence(value, inner, exact=(origin or hint) is tuple)
    if (origin or hint) in (dict, collections.abc.Mapping):
        return hasattr(value, 'items')
    if inspect.isclass(hint) or origin is collections.abc.Callable:
        # An object, or the config of one: no plain value.
        return not isinstance(value, (bool, int, float, str, list, tuple, type(None)))
    return True


def _fits_sequence(value: Any, inner: tuple[Any, ...], exact: bool) -> bool:
    if isinstance(value, str) or not isinstance(value, (list, tuple, set, range, np.ndarray)):
        return False
    if exact and inner and inner[-1] is not Ellipsis:
        return len(value) == len(inner) and all(map(fits, value, inner))
    return not inner or all(fits(each, inner[0]) for each in value)


def in_words(hint: Any) -> str:
    """A type as a reader says it: `int`, `a list of str`, `str or None`."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return ' or '.join(dict.fromkeys(in_words(each) for each in inner))
    if origin is typing.Literal:
        return ' or '.join(map(repr, inner))
    if hint is type(None):
        return 'None'
    if (origin or hint) in _SEQUENCES:
        of = f' of {in_words(inner[0])}' if inner and inner[0] is not Any else ''
        return f'a list{of}'
    if (origin or hint) in (dict, collections.abc.Mapping):
        return 'a dict'
    if origin is collections.abc.Callable:
        return 'a function or the config of one'
    return getattr(hint, '__name__', str(hint))
