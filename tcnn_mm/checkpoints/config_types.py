"""Types in a config that is data: registered names; nothing is imported by a dotted path."""

import re
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from tcnn_mm.compat import TOOLBOXES, registered_scopes
from tcnn_mm.errors import UserError

# Keys by which mmengine chooses what it builds, or where it looks for it.
TYPE_KEYS = ('type', 'runner_type')
SCOPE_KEYS = ('_scope_', 'default_scope')
NAME = re.compile(r'\w+')
# Packages whose classes are registered under their bare names.
ROOT_PACKAGES = ('torch', 'torchvision', 'mmcv')
# Arguments of parts that load code or files of their own.
FORBIDDEN = ('custom_imports', 'trust_remote_code', 'remote_code')
# Names of networks that timm and transformers fetch, with what is beside them.
FETCHED = re.compile(r'[\w-]+:')


def registered_types(part: Any, name: str, at: str = '') -> Any:
    """Copy a config's values, with each `type` as the name of a registered part.

    A class in a pure-Python config is stored by its dotted path: that of a class of OpenMMLab's
    or torch's packages becomes its name.

    Args:
        part: Values of a config that was read as data.
        name: The file, for the error.
        at: Key of `part`.

    Raises:
        UserError: A type that is no name of a registered part; names the key.
    """
    if isinstance(part, (list, tuple, set)):
        copied = [registered_types(v, name, f'{at}[{i}]') for i, v in enumerate(part)]
        return type(part)(copied)
    if not isinstance(part, Mapping):
        return part
    return {
        key: _checked(key, value, name, f'{at}.{key}' if at else str(key))
        for key, value in part.items()
    }


def _checked(key: Any, value: Any, name: str, at: str) -> Any:
    """One entry of a config."""
    if key in TYPE_KEYS:
        return _registered_name(value, name, at)
    if key in SCOPE_KEYS and value is not None and str(value) not in _scopes():
        raise _refusal(name, at, value, 'no scope of an OpenMMLab package')
    if key in FORBIDDEN and value:
        raise _refusal(name, at, value, 'an order to load code')
    if key == 'model_name' and isinstance(value, str) and FETCHED.match(value):
        raise _refusal(name, at, value, "no name of timm's")
    return registered_types(value, name, at)


def _registered_name(value: Any, name: str, at: str) -> str:
    """`Name` or `scope.Name`; the dotted path of a class as such a name."""
    if isinstance(value, str) and all(map(NAME.fullmatch, value.split('.'))):
        first, *rest = value.split('.')
        if not rest or (len(rest) == 1 and first in _scopes()):
            return value
        if first in (*ROOT_PACKAGES, *TOOLBOXES):
            return short_name(value)
    raise _refusal(name, at, value, 'no registered part of tcnn_mm, mmpretrain or mmengine')


def short_name(kind: str) -> str:
    """`scope.Name` of the dotted path of a class of the toolbox or of ours; others as they are."""
    first, *rest = kind.split('.')
    if rest and first in ROOT_PACKAGES:
        return rest[-1]
    return f'{first}.{rest[-1]}' if len(rest) > 1 and first in TOOLBOXES else kind


def _scopes() -> set[str]:
    """What may stand before the name of a part."""
    return {*TOOLBOXES, *registered_scopes()}


def _refusal(name: str, at: str, value: Any, what: str) -> UserError:
    return UserError(
        f'{name}: its config has {at}={repr(value)[:80]}, which is {what}; nothing of it was run: '
        'give a config file of your own: tcnn predict … --config FILE'
    )


def data_config(values: Mapping[str, Any], name: str) -> Config:
    """A config of values that were read as data.

    Raises:
        UserError: What :func:`registered_types` refuses, a key that mmengine reserves.
    """
    try:
        return Config(registered_types(values, name))
    except KeyError as error:
        raise UserError(f'{name}: its config cannot be read ({error}); give the config') from error
