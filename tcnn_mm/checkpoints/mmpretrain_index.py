"""mmpretrain's model index: classifiers by name, where their weights and configs are, as data.

Its package holds the index, the metafiles and the configs in the folder `.mim`. They are read as
text: mmpretrain is not imported, and a config is read for the one network that is asked for.
"""

import importlib.util
import os.path as osp
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import yaml

from tcnn_mm.checkpoints.download import named_sha256
from tcnn_mm.checkpoints.published import PublishedFile
from tcnn_mm.errors import UserError

# Before the names of this index: `mmpretrain:resnet50_8xb32_in1k`.
MMPRETRAIN = 'mmpretrain'
# Of weights that mmpretrain trained; its metafiles state none for those converted from others.
OWN_LICENCE, UNKNOWN_LICENCE = 'Apache-2.0', 'not stated'
_TASK, _DATASET, _METRIC = 'Image Classification', 'ImageNet-1k', 'Top 1 Accuracy'
# The reader in C takes a tenth of the time.
_READER = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)


class IndexEntry(NamedTuple):
    """A classifier of the index.

    Attributes:
        name: As the index writes it.
        weights: URL of its checkpoint.
        config: Path of its config.
        top1: Accuracy on ImageNet, percent; None for other data sets.
        source: Where the weights were converted from; '' for mmpretrain's own.
    """

    name: str
    weights: str
    config: str
    top1: float | None
    source: str


def index_folder() -> str:
    """Folder of the index in the installed package.

    Raises:
        UserError: mmpretrain is installed without it.
    """
    spec = importlib.util.find_spec(MMPRETRAIN)
    for package in (spec.submodule_search_locations or ()) if spec else ():
        folder = osp.join(osp.abspath(package), '.mim')
        if osp.isfile(osp.join(folder, 'model-index.yml')):
            return folder
    raise UserError(
        'no model index of mmpretrain: its package has no .mim/model-index.yml; '
        'pip install --force-reinstall --no-deps onedl-mmpretrain'
    )


def index_entries() -> dict[str, IndexEntry]:
    """Classifiers with published weights, by lower-case name, in the order of the index.

    Raises:
        UserError: No index; a file of it that cannot be read.
    """
    return _read_index(index_folder())


@cache
def _read_index(folder: str) -> dict[str, IndexEntry]:
    """The entries of a folder with `model-index.yml`."""
    entries: dict[str, IndexEntry] = {}
    for part in _read_yaml(osp.join(folder, 'model-index.yml')).get('Import') or []:
        for model in _read_yaml(osp.join(folder, part)).get('Models') or []:
            results = [r for r in model.get('Results') or [] if r.get('Task') == _TASK]
            if results and model.get('Weights') and model.get('Config'):
                entry = _entry(model, results, folder)
                entries[entry.name.lower()] = entry
    return entries


def _read_yaml(path: str) -> dict[str, Any]:
    """Content of a YAML file.

    Raises:
        UserError: It cannot be read; names the file.
    """
    try:
        with open(path, encoding='utf-8') as file:
            return yaml.load(file, _READER) or {}
    except (OSError, yaml.YAMLError) as error:
        raise UserError(
            f'{path}: {str(error).splitlines()[0]}; '
            'pip install --force-reinstall --no-deps onedl-mmpretrain'
        ) from error


def _entry(model: dict[str, Any], results: list[dict[str, Any]], folder: str) -> IndexEntry:
    """What we use of a model of a metafile."""
    scores = [r['Metrics'].get(_METRIC) for r in results if r.get('Dataset') == _DATASET]
    source = model.get('Converted From') or {}
    return IndexEntry(
        name=model['Name'],
        weights=model['Weights'],
        config=osp.join(folder, *model['Config'].split('/')),
        top1=next(iter(scores), None),
        source=source.get('Code') or source.get('Weights') or '',
    )


def mmpretrain_names() -> list[str]:
    """Names of the classifiers that mmpretrain publishes weights of."""
    return [entry.name for entry in index_entries().values()]


def is_indexed(name: str) -> bool:
    """Whether it is a name of the index, in any case of its letters."""
    return name.lower() in index_entries()


def index_entry(name: str) -> IndexEntry:
    """The entry of a name, in any case of its letters.

    Raises:
        KeyError: No such name.
    """
    return index_entries()[name.lower()]


def mmpretrain_file(name: str) -> PublishedFile:
    """mmpretrain's weights of one of its classifiers; its pixels are in the config.

    Args:
        name: Of the index, e.g. 'resnet50_8xb32_in1k'.
    """
    entry = index_entry(name)
    file = osp.basename(unquote(urlsplit(entry.weights).path))
    return PublishedFile(
        url=entry.weights,
        file=file,
        sha256=named_sha256(file),
        size=None,
        pixels={},
        licence=UNKNOWN_LICENCE if entry.source else OWN_LICENCE,
        top1=entry.top1,
        notes=f'converted from {entry.source}, whose licence holds' if entry.source else '',
    )
