"""The fit that was begun in a folder, compared with today's command: what was, and what is."""

import json
import os
import os.path as osp
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmengine.config import Config

from tcnn_mm.compat import config_dict
from tcnn_mm.datasets.formats.id_list import read_ids, write_ids
from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.engine.bank_contents import some_ids
from tcnn_mm.engine.read_config import read_config
from tcnn_mm.errors import UserError

# Option of `tcnn fit` → the key of the config that says it best.
OPTIONS = {
    '--seed': 'randomness.seed',
    '--scales': 'model.sampler.grid.scales',
    '--weights': 'model.pretrained',
    '--folds': 'cross_validation.folds',
    '--repeats': 'cross_validation.repeats',
}
# Settings that a message lists, and characters of a value in it.
MOST, LONGEST = 6, 70
# No settings of their own: what was decided, in words; what was given, which others follow from.
NO_SETTINGS = ('decisions', 'fit_options')
UNSET = 'unset'


def check_same_config(path: str, text: str) -> None:
    """Compare the config of a fit that was begun with that of today's command.

    Comments, and the decisions in words, may differ.

    Args:
        path: Of the config.
        text: What today's command would write.

    Raises:
        UserError: Other settings; names each with the value that was and that is.
    """
    with open(path, encoding='utf-8') as file:
        if file.read() == text:
            return
    changed = changed_settings(
        config_dict(read_config(path)), config_dict(Config.fromstring(text, '.py'))
    )
    if changed:
        more = f'; {len(changed) - MOST} more' if len(changed) > MOST else ''
        raise UserError(
            f'{path}: the fit that was begun here has other settings: '
            f'{"; ".join(changed[:MOST])}{more}; give the same ones, or give tcnn fit another '
            f'--out, or go on with those that were: tcnn train {shlex.quote(path)} --resume'
        )


def changed_settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """'key: was 1, is 2' per setting; those that an option of `tcnn fit` sets come first."""
    before, now = dict(settings(old)), dict(settings(new))
    option = {key: name for name, key in OPTIONS.items()}
    keys = [
        key
        for key in dict.fromkeys([*option, *now, *before])
        if before.get(key, UNSET) != now.get(key, UNSET)
    ]
    return [
        f'{option[key] + " (" + key + ")" if key in option else key}: was '
        f'{shown(before.get(key, UNSET))}, is {shown(now.get(key, UNSET))}'
        for key in keys
    ]


def settings(part: Any, where: str = '') -> Iterator[tuple[str, Any]]:
    """(dotted key, value) of all that a config sets."""
    if isinstance(part, Mapping):
        for key, value in part.items():
            if f'{where}{key}' not in NO_SETTINGS:
                yield from settings(value, f'{where}{key}.')
    elif isinstance(part, (list, tuple)) and any(isinstance(each, Mapping) for each in part):
        for number, each in enumerate(part):
            yield from settings(each, f'{where.removesuffix(".")}[{number}].')
    else:
        value = list(part) if isinstance(part, tuple) else part
        yield where.removesuffix('.'), value


def shown(value: Any) -> str:
    """A value in a message."""
    text = printable(value if value is UNSET else repr(value))
    return text if len(text) <= LONGEST else f'{text[:LONGEST]}…'


def check_same_records(
    path: str, classes: Sequence[str], records: Sequence[dict[str, Any]]
) -> None:
    """Check that the records of a fit that was begun are those of today's data.

    Raises:
        UserError: Others: what was trained is not of these data. Names the classes, the ids, or
            the folder from which the images were moved.
    """
    if not osp.isfile(path):
        return
    with open(path, encoding='utf-8') as file:
        before = json.load(file)
    old = {record['id']: record for record in before['images']}
    new = {record['id']: record for record in json.loads(json.dumps(records))}
    found = _changed_classes(before['classes'], list(classes)) or _changed_records(old, new)
    out = osp.dirname(osp.dirname(path))
    if found:
        raise UserError(
            f'{path}: {found} since this fit was begun; give tcnn fit another --out, or '
            f'remove {out} to begin anew'
        )
    moved = [(old[key]['file'], new[key]['file']) for key in new if old[key] != new[key]]
    if moved:
        raise UserError(_moved(moved, out))


def _changed_classes(old: list[str], new: list[str]) -> str:
    if old == new:
        return ''
    said = [
        f'{", ".join(map(repr, names))} {"is" if len(names) == 1 else "are"} {what}'
        for names, what in (
            ([name for name in new if name not in old], 'new'),
            ([name for name in old if name not in new], 'gone'),
        )
        if names
    ]
    return f'the classes changed ({"; ".join(said) or "their order"})'


def _changed_records(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """What changed in the images beside their paths."""
    edited = [
        key
        for key in new
        if key in old and {**old[key], 'file': None} != {**new[key], 'file': None}
    ]
    said = [
        f'{some_ids(ids)} {what}'
        for ids, what in (
            ([key for key in new if key not in old], 'came'),
            ([key for key in old if key not in new], 'went'),
        )
        if ids
    ]
    return '; '.join(
        [*([f'the annotations of {some_ids(edited)} changed'] if edited else []), *said]
    )


def _moved(files: Sequence[tuple[str, str]], out: str) -> str:
    """The message for images that are elsewhere, with the same annotations."""
    folders = {moved_folder(*pair) for pair in files}
    old, new = folders.pop()
    several = ' (and others)' if folders else ''
    return (
        f'{out}: the {len(files)} images of this fit were in {printable(old)}, now they are in '
        f'{printable(new)}{several}; move them back, or link: ln -s {shlex.quote(new)} '
        f'{shlex.quote(old)}, and give the former path; or give tcnn fit another --out'
    )


def moved_folder(old: str, new: str) -> tuple[str, str]:
    """The folders from and to which a file was moved: the paths without their common end."""
    before, now = old.split(osp.sep), new.split(osp.sep)
    while len(before) > 2 and len(now) > 2 and before[-1] == now[-1]:
        before.pop(), now.pop()
    return osp.sep.join(before), osp.sep.join(now)


def write_lists(folder: str, lists: Mapping[str, Sequence[str]]) -> None:
    """Write FOLDER/NAME.txt, one id per line; those of a fit that was begun stay as they are.

    Args:
        folder: Of the lists, in the folder of the fit.
        lists: Name → ids; a name may have folders in it.

    Raises:
        UserError: A list of a fit that was begun has other ids.
    """
    begun = osp.isfile(osp.join(osp.dirname(folder), 'config.py'))
    for name, ids in lists.items():
        path = osp.join(folder, f'{name}.txt')
        if begun and osp.isfile(path):
            there = read_ids(path)
            other = sorted({*there} ^ {*ids})
            if there != list(ids):
                config = osp.join(osp.dirname(folder), 'config.py')
                raise UserError(
                    f'{path}: lists other images than this command draws: '
                    f'{some_ids(other) if other else "the order"} differ; it was changed by hand '
                    f'or by another version; give tcnn fit another --out, or go on with it: '
                    f'tcnn train {shlex.quote(config)} --resume'
                )
        else:
            os.makedirs(osp.dirname(path), exist_ok=True)
            write_ids(path, ids)
