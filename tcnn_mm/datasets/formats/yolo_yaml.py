"""Ultralytics' `data.yaml`: names of the classes, and where the images of each part are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from tcnn_mm.datasets.formats.folder_scan import FolderScan
from tcnn_mm.datasets.formats.parts import ROLES
from tcnn_mm.datasets.formats.text_file import read_text
from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.errors import UserError

# Python reads no number of thousands of digits.
DIGITS = 10


class PlainLoader(yaml.BaseLoader):
    """Text, lists and mappings without aliases, by which a few lines become terabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """One value; an alias is refused."""
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise yaml.YAMLError(
                f'line {event.start_mark.line + 1}: the alias *{event.anchor}; write the value'
            )
        return super().compose_node(parent, index)


@dataclass
class DataYaml:
    """One file.

    Attributes:
        file (str): Below the root of the data.
        names (dict[int, str]): Names of the classes by number; empty where the file has none.
        count (str): `nc` as written, '' without.
        entries (list[tuple[str, str]]): Part ('train', 'val', 'test') and the folder or list of
            its images, as written.
        base (str): `path`: the folder that entries begin at, '' without.
        pose (bool): Objects have key points (`kpt_shape`).
    """

    file: str
    names: dict[int, str]
    count: str = ''
    entries: list[tuple[str, str]] = field(default_factory=list)
    base: str = ''
    pose: bool = False


@dataclass
class YamlFiles:
    """All of a folder, and the faults of those that cannot be read."""

    found: list[DataYaml] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def read_yaml_files(scan: FolderScan) -> YamlFiles:
    """Read the YAML files that hold names of classes or parts; others are of other tools.

    Values stay text as they are written ('no' is the name of a class, not False), and tags make
    no objects.

    Raises:
        UserError: `names` in another form; a fault of the file that was given.
    """
    files = YamlFiles()
    for file in scan.with_suffix('.yaml', '.yml'):
        path = scan.path(file)
        try:
            content = yaml.load(read_text(path), PlainLoader)
        except (yaml.YAMLError, RecursionError, UserError) as error:
            text = ' '.join(str(error).split())[:200]
            files.faults.append(text if isinstance(error, UserError) else f'{path}: {text}')
            continue
        if isinstance(content, dict) and _is_data(content):
            files.found.append(_data_yaml(file, path, content))
    if scan.only is not None and files.faults:
        raise UserError(files.faults[0])
    return files


def _is_data(content: Mapping[Any, Any]) -> bool:
    return 'names' in content or any(key in content for key in ('train', 'val'))


def _data_yaml(file: str, path: str, content: Mapping[Any, Any]) -> DataYaml:
    data = DataYaml(file, parse_names(content['names'], path) if 'names' in content else {})
    data.count = str(content.get('nc', ''))
    data.base = content['path'] if isinstance(content.get('path'), str) else ''
    data.pose = 'kpt_shape' in content
    for key, value in content.items():
        part = ROLES.get(str(key).lower())
        entries = value if isinstance(value, list) else [value]
        for entry in entries if part else []:
            if isinstance(entry, str) and entry not in ('', 'null', '~'):
                data.entries.append((str(part), entry))
    return data


def _is_number(key: Any) -> bool:
    return isinstance(key, str) and key.isdecimal() and len(key) < DIGITS


def parse_names(names: Any, path: str) -> dict[int, str]:
    """Names of the classes by number.

    Args:
        names: A list, or a mapping of numbers to names; all values as text.
        path: The file, for errors.

    Raises:
        UserError: Another form, an empty name.
    """
    if isinstance(names, list):
        names = {str(number): name for number, name in enumerate(names)}
    fits = isinstance(names, dict) and bool(names)
    if not fits or not all(isinstance(n, str) and n.strip() for n in names.values()):
        raise UserError(
            f'{path}: names is {printable(str(names)[:60])}; expected a list of the names of '
            'classes, or one "number: name" per line'
        )
    if not all(_is_number(key) for key in names):
        key = next(key for key in names if not _is_number(key))
        raise UserError(
            f'{path}: names has the key {printable(str(key)[:40])!r}, expected numbers of classes: '
            '"0: name"'
        )
    return {int(key): ' '.join(name.split()) for key, name in names.items()}
