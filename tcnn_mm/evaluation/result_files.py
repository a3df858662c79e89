"""Result files as the VOC devkit and its evaluation server read them.

    results/VOC2012/Main/comp2_cls_test_aeroplane.txt      id score
    results/VOC2012/Action/comp10_action_test_jumping.txt  id objectIdx score

A key is (image id,) or (image id, object number). One line per key, one file per class; the server
takes one archive of all files.
"""

import os
import os.path as osp
import re
import tarfile
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from tcnn_mm.checkpoints.atomic_write import atomic_path, atomic_write
from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.errors import UserError

Key = tuple[str, ...]


class Competition(NamedTuple):
    """A competition of the challenge, as its files name it.

    Attributes:
        folder (str): Folder of the result files and of the class files.
        task (str): In the names of the result files.
        item (str): What one line is about.
        columns (tuple[str, ...]): Names of the columns of a line.
    """

    folder: str
    task: str
    item: str
    columns: tuple[str, ...]


CLASSIFICATION = Competition('Main', 'cls', 'image', ('id', 'score'))
ACTION = Competition('Action', 'action', 'person', ('id', 'objectIdx', 'score'))
# comp1 and comp9 are for networks trained on the data of the challenge alone, comp2 and comp10 for
# all others.
COMPETITIONS = {
    'comp1': CLASSIFICATION,
    'comp2': CLASSIFICATION,
    'comp9': ACTION,
    'comp10': ACTION,
}
# comp2, cls, test, aeroplane
FILE_NAME = re.compile(
    rf'({"|".join(COMPETITIONS)})_({CLASSIFICATION.task}|{ACTION.task})_([^_]+)_(.+)\.txt'
)


def result_file(comp: str, split: str, class_name: str, year: int = 2012) -> str:
    """Return the path of the result file of one class, below the folder that holds `results`.

    Raises:
        UserError: The name of the class, or of the split, leads to another folder.
    """
    for what, text in (('class', class_name), ('split', split)):
        if '/' in text or os.sep in text or '\0' in text:
            raise UserError(
                f'result files are named after their {what}, and "{printable(text)}" has a "/": '
                'rename it'
            )
    competition = COMPETITIONS[comp]
    name = f'{comp}_{competition.task}_{split}_{class_name}.txt'
    return osp.join('results', f'VOC{year}', competition.folder, name)


def write_results(
    folder: str,
    comp: str,
    split: str,
    classes: Sequence[str],
    keys: Sequence[Key],
    scores: np.ndarray,
    year: int = 2012,
) -> str:
    """Write one file per class and the archive of all.

    Args:
        folder: Receives `results` and `results_<comp>_<split>.tar.gz`.
        comp: Key of :data:`COMPETITIONS`.
        split: In the names of the files, e.g. 'test'.
        classes: K names.
        keys: N, each (id,) or (id, object number).
        scores: (N, K) float64; written so that reading gives the same numbers.
        year: Year of the challenge. Defaults to 2012.

    Returns:
        The path of the archive, which is complete or absent.
    """
    files = [result_file(comp, split, name, year) for name in classes]
    os.makedirs(osp.join(folder, osp.dirname(files[0])), exist_ok=True)
    for name, column in zip(files, scores.T.tolist(), strict=True):
        with atomic_write(osp.join(folder, name)) as file:
            file.writelines(
                f'{" ".join(key)} {score!r}\n' for key, score in zip(keys, column, strict=True)
            )
    archive = osp.join(folder, f'results_{comp}_{split}.tar.gz')
    with atomic_path(archive) as draft, tarfile.open(draft, 'w:gz') as tar:
        for name in files:
            tar.add(osp.join(folder, name), arcname=name)
    return archive


def _parse_name(path: str) -> tuple[str, str, str] | None:
    """File name → (comp, split, class name); None for any other file."""
    found = FILE_NAME.fullmatch(osp.basename(path))
    if found is None or COMPETITIONS[found[1]].task != found[2]:
        return None
    return found[1], found[3], found[4]


def parse_results(text: str, name: str, comp: str) -> dict[Key, float]:
    """Parse one result file.

    Args:
        text: The content.
        name: The file, for errors.
        comp: Key of :data:`COMPETITIONS`.

    Returns:
        Key → score.

    Raises:
        UserError: A line with other columns, a score that is no number, a duplicate key.
    """
    found: dict[Key, float] = {}
    columns = COMPETITIONS[comp].columns
    for at, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        *key, last = line.split()
        try:
            score = float(last)
        except ValueError:
            score = np.nan
        if len(key) != len(columns) - 1 or np.isnan(score):
            raise UserError(f'{name}, line {at}: "{line}", expected `{" ".join(columns)}`')
        if tuple(key) in found:
            raise UserError(f'{name}, line {at}: duplicate key {"/".join(key)}')
        found[tuple(key)] = score
    return found


def read_results(path: str) -> dict[tuple[str, str], dict[str, dict[Key, float]]]:
    """Read every result file in a folder tree or in an archive.

    Args:
        path: A folder, or a tar file, which is read without being unpacked.

    Returns:
        (comp, split) → class name → key → score.

    Raises:
        UserError: No result file, a damaged archive, two files of one name, a wrong line.
    """
    texts = {}
    if osp.isdir(path):
        for folder, _, names in os.walk(path):
            for name in filter(_parse_name, names):
                with open(osp.join(folder, name), encoding='utf-8') as file:
                    texts[osp.join(folder, name)] = file.read()
    elif osp.isfile(path):
        try:
            with tarfile.open(path) as tar:
                for member in tar.getmembers():
                    packed = tar.extractfile(member) if _parse_name(member.name) else None
                    if packed is not None:  # not a folder of this name
                        texts[f'{path}/{member.name}'] = packed.read().decode()
        except tarfile.TarError as error:
            raise UserError(f'{path}: not a tar archive ({error})') from error
    if not texts:
        raise UserError(f'{path}: no result files, such as {result_file("comp2", "val", "cat")}')
    found: dict[tuple[str, str], dict[str, dict[Key, float]]] = {}
    for name, text in sorted(texts.items()):
        parsed = _parse_name(name)
        assert parsed is not None  # only such files are in `texts`
        comp, split, class_name = parsed
        classes = found.setdefault((comp, split), {})
        if class_name in classes:
            raise UserError(f'{path}: two files {osp.basename(name)}; give one results tree')
        classes[class_name] = parse_results(text, name, comp)
    return found


def align(results: dict[Key, float], keys: Iterable[Key], name: str) -> np.ndarray:
    """Return scores in the order of `keys`, -inf where there is none, as in the devkit.

    Args:
        results: Key → score.
        keys: N, all keys of the split.
        name: Name of the results, for the error.

    Returns:
        (N,) float64.

    Raises:
        UserError: A result for a key that is not in the list.
    """
    keys = list(keys)
    unknown = sorted(results.keys() - set(keys))
    if unknown:
        raise UserError(
            f'{name}: {"/".join(unknown[0])} is not in the split ({len(unknown)} such lines)'
        )
    return np.array([results.get(key, -np.inf) for key in keys], np.float64)
