"""Result files as the VOC devkit and its evaluation server read them.

    results/VOC2012/Main/comp2_cls_test_aeroplane.txt      id score
    results/VOC2012/Action/comp10_action_test_jumping.txt  id objectIdx score

A key is (image id,) or (image id, object number); one line a key, one file a class, all files in
one archive, which is what the server takes.
"""

import os
import os.path as osp
import re
import tarfile
from collections import Counter

import numpy as np
from mmengine.logging import print_log

from tcnn_mm.checkpoints.atomic_write import atomic_path
from tcnn_mm.datasets.voc_action import OTHER
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.score_table import ScoreTable
from tcnn_mm.registry import METRICS

# Competition → its folder and its name for the task. comp1 and comp9 are for networks that have
# seen nothing but the challenge's own data, comp2 and comp10 for all others.
COMPETITIONS = {
    'comp1': ('Main', 'cls'),
    'comp2': ('Main', 'cls'),
    'comp9': ('Action', 'action'),
    'comp10': ('Action', 'action'),
}
# comp2_cls, test, aeroplane
FILE_NAME = re.compile(
    rf'({"|".join(f"{comp}_{task}" for comp, (_, task) in COMPETITIONS.items())})'
    r'_([^_]+)_(.+)\.txt'
)


def result_file(comp, split, class_name, year=2012):
    """Path of one class's results, below the folder that holds `results`."""
    folder, task = COMPETITIONS[comp]
    return osp.join('results', f'VOC{year}', folder, f'{comp}_{task}_{split}_{class_name}.txt')


def write_results(folder, comp, split, classes, keys, scores, year=2012):
    """Write one file a class and the archive of them.

    Args:
        folder (str): Holds `results` and `results_<comp>_<split>.tar.gz` afterwards.
        comp, split (str): e.g. 'comp2', 'test'.
        classes (list[str]): K names.
        keys (list[tuple]): N, each (id,) or (id, object number).
        scores (ndarray): (N, K) float64; written so that reading gives the same numbers.

    Returns:
        str: The archive; it stands in its place when it is complete.
    """
    files = [result_file(comp, split, name, year) for name in classes]
    os.makedirs(osp.join(folder, osp.dirname(files[0])), exist_ok=True)
    for name, column in zip(files, scores.T.tolist(), strict=True):
        with open(osp.join(folder, name), 'w', encoding='utf-8', newline='\n') as file:
            file.writelines(
                f'{" ".join(key)} {score!r}\n' for key, score in zip(keys, column, strict=True)
            )
    archive = osp.join(folder, f'results_{comp}_{split}.tar.gz')
    with atomic_path(archive) as draft, tarfile.open(draft, 'w:gz') as tar:
        for name in files:
            tar.add(osp.join(folder, name), arcname=name)
    return archive


def parse_results(text, name):
    """One file's {key: score}.

    Raises:
        UserError: A line of other columns, a score that is no number, a key that stands twice.
    """
    task = FILE_NAME.fullmatch(osp.basename(name)).group(1)
    found, columns = {}, 2 if task.endswith('cls') else 3
    for at, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        *key, score = line.split()
        try:
            score = float(score)
        except ValueError:
            score = np.nan
        if len(key) != columns - 1 or np.isnan(score):
            expected = 'id score' if columns == 2 else 'id objectIdx score'
            raise UserError(f'{name}, line {at}: "{line}", expected `{expected}`')
        if tuple(key) in found:
            raise UserError(f'{name}, line {at}: {"/".join(key)} stands twice')
        found[tuple(key)] = score
    return found


def read_results(path):
    """Every result file in a folder tree or in an archive.

    Args:
        path (str): A folder, or a tar file that is read without being unpacked.

    Returns:
        dict: (comp, split) → {class name: {key: score}}.

    Raises:
        UserError: Nothing there that can be read.
    """
    texts = {}
    if osp.isdir(path):
        for folder, _, names in os.walk(path):
            for name in filter(FILE_NAME.fullmatch, names):
                with open(osp.join(folder, name), encoding='utf-8') as file:
                    texts[osp.join(folder, name)] = file.read()
    elif osp.isfile(path):
        try:
            with tarfile.open(path) as tar:
                for member in tar.getmembers():
                    if FILE_NAME.fullmatch(osp.basename(member.name)) and member.isfile():
                        texts[f'{path}/{member.name}'] = tar.extractfile(member).read().decode()
        except tarfile.TarError as error:
            raise UserError(f'{path}: no tar archive ({error})') from error
    if not texts:
        raise UserError(f'{path}: no result files, such as {result_file("comp2", "val", "cat")}')
    found = {}
    for name, text in sorted(texts.items()):
        task, split, class_name = FILE_NAME.fullmatch(osp.basename(name)).groups()
        classes = found.setdefault((task.partition('_')[0], split), {})
        if class_name in classes:
            raise UserError(f'{path}: {osp.basename(name)} is there twice; give one results tree')
        classes[class_name] = parse_results(text, name)
    return found


def align(results, keys, name):
    """Scores in the order of `keys`, -inf where there is none, as in the devkit: (N,) float64.

    Raises:
        UserError: A result for a key that is not in the list.
    """
    strange = sorted(results.keys() - set(keys))
    if strange:
        raise UserError(
            f'{name}: {"/".join(strange[0])} is not in the split ({len(strange)} such lines)'
        )
    return np.array([results.get(key, -np.inf) for key in keys], np.float64)


@METRICS.register_module()
class VOCSubmission(ScoreTable):
    """Writes the scores of a split as the evaluation server wants them; no annotation is read.

    Args:
        comp (str): 'comp1' or 'comp2' (classification), 'comp9' or 'comp10' (actions); the
            even ones are for networks that have seen other data than the challenge's.
        split (str): In the files' names. Defaults to 'test'.
        year (int): Defaults to 2012.
        out_dir (str): Folder that gets `results/` and the archive. Defaults to the current one;
            with `VOCResultsHook`, a relative folder lies below the work dir.
        prefix, **kwargs: For mmengine's `BaseMetric`.

    Returns `items`, how many pictures or persons were written.

    Raises:
        UserError: Pictures where persons are due or the other way round; one that comes twice.
    """

    def __init__(self, comp, split='test', year=2012, out_dir='.', prefix='submission', **kwargs):
        if comp not in COMPETITIONS:
            raise ValueError(f'VOCSubmission: comp={comp!r}; choose from {sorted(COMPETITIONS)}')
        super().__init__(prefix=prefix, **kwargs)
        self.comp, self.split, self.year, self.out_dir = comp, split, year, out_dir

    def process(self, data_batch, data_samples):
        num_classes = len(self.class_names())
        columns = 1 if COMPETITIONS[self.comp][1] == 'cls' else 2
        for sample in data_samples:
            key = self.sample_key(sample)
            if len(key) != columns:
                raise UserError(
                    f'VOCSubmission: {self.comp} is of {("pictures", "persons")[columns - 1]}, '
                    f'but {self.sample_id(sample)} is a {("person", "picture")[columns - 1]}'
                )
            self.results.append((key, self.sample_scores(sample, num_classes)))

    def compute_metrics(self, results):
        keys, classes = [row[0] for row in results], self.class_names()
        twice = [key for key, count in Counter(keys).items() if count > 1]
        if twice:
            raise UserError(f'VOCSubmission: {"/".join(twice[0])} comes twice')
        scores = np.array([row[1] for row in results]).reshape(len(keys), len(classes))
        self.scores = (['/'.join(key) for key in keys], classes, scores)
        # The devkit has no results for the action `other`.
        columns = [k for k, name in enumerate(classes) if name != OTHER]
        names = [classes[k] for k in columns]
        archive = write_results(
            osp.normpath(osp.join(self.work_dir, self.out_dir)),
            *(self.comp, self.split, names, keys, scores[:, columns], self.year),
        )
        print_log(f'for the server: {archive}, {len(names)} classes × {len(keys)} lines', 'current')
        return {'items': len(keys)}
