"""The annotated images of a fit: data set configs by role, classes, counts."""

import os
import os.path as osp
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from tcnn_mm.compat import quiet_log
from tcnn_mm.datasets.formats.read_data import FoundData, ReadOptions, read_data
from tcnn_mm.datasets.image_records import write_records
from tcnn_mm.datasets.stratified_split import split_parts
from tcnn_mm.errors import UserError
from tcnn_mm.estimator.begun_fit import check_same_records
from tcnn_mm.estimator.class_table import class_table
from tcnn_mm.estimator.fold_choice import FoldOptions, Folds, choose_folds
from tcnn_mm.estimator.growth import EarlierFit, grow
from tcnn_mm.registry import DATASETS

# Name of the file of records, in the folder of lists of a fit.
RECORDS = 'records.json'


@dataclass(frozen=True)
class FitData:
    """Annotated images, at least a part to train on.

    Attributes:
        description (str): What was found, in words.
        weak (bool): There are image labels but no boxes.
        upright (bool): Images are read as their EXIF orientation shows them.
        classes (list[str]): K names.
        source (dict): Data set config that all parts share.
        sources (dict[str, dict]): Role ('train', and perhaps 'val' and 'test') → the entries of
            its data set config that differ between parts.
        counts (dict[str, int]): Role → number of images.
        train (list[dict]): `get_data_info` of the training images.
        pointing (bool): There are images to test on, and each of their labels has a box:
            localization can be measured.
        folds (Folds, optional): Of the training images, each of which is scored by a head that
            did not see it.
        lists (str): Folder of the lists of ids.
        ids (dict[str, list[str]]): Ids of each list, by its name in the folder: 'train',
            'folds/1_1/train'; written with the config.
    """

    description: str
    weak: bool
    upright: bool
    classes: list[str]
    source: dict[str, Any]
    sources: dict[str, dict[str, Any]]
    counts: dict[str, int]
    train: list[dict[str, Any]]
    pointing: bool = False
    folds: Folds | None = None
    lists: str = ''
    ids: dict[str, list[str]] = field(default_factory=dict)


def read_records(path: str) -> FitData:
    """The images of a file of `ImageRecords`, all for training.

    Args:
        path: As :func:`write_training_set` writes it. Without any box training is weak.
    """
    source = dict(type='tcnn_mm.ImageRecords', ann_file=path)
    data = DATASETS.build(dict(source))
    train = infos_of(data)
    return FitData(
        description=f'{path}: {len(train)} images given to PatchVotingClassifier.fit',
        weak=not any(len(info['gt_bboxes']) for info in train),
        upright=False,
        classes=list(data.metainfo['classes']),
        source=source,
        sources=dict(train={}),
        counts=dict(train=len(train)),
        train=train,
    )


def read_folder(
    data: str | Sequence[str],
    splits: str,
    options: ReadOptions | None = None,
    seed: int = 0,
    folds: FoldOptions | None = None,
    earlier: EarlierFit | None = None,
) -> FitData:
    """The images of folders (or files) of annotations, split into train, val and test, or folds.

    Args:
        data: Anything that :func:`read_data` reads.
        splits: Folder that gets records.json, and later one list of ids per role.
        options: Of :func:`read_data`.
        seed: Of the draw of parts that the data do not name, and of folds.
        folds: Whether images are divided into folds. Defaults to one split.
        earlier: The images are added to those of this fit.

    Raises:
        UserError: What :func:`read_data`, :func:`grow` and :func:`choose_folds` refuse; too few
            images; other images or annotations than those of a fit that was begun beside `splits`.
    """
    options = options or ReadOptions()
    found = read_data(data, options)
    if earlier is not None:
        found = grow(earlier, found, seed)
    for line in (f'found {found.description}', *found.account.lines()):
        print_log(line, 'current')
    if osp.isfile(osp.join(osp.dirname(splits), 'config.py')):
        check_same_records(osp.join(splits, RECORDS), found.classes, found_records(found))
    records = write_found(found, splits)
    source = dict(type='tcnn_mm.ImageRecords', ann_file=records)
    with quiet_log():
        infos = infos_of(DATASETS.build(dict(source)))
    roles, chosen = _split(found, infos, seed, folds or FoldOptions())
    ids = {role: [infos[n]['img_id'] for n in numbers] for role, numbers in roles.items()}
    named = {image.checked.image.part for image in found.images}
    drawn = [role for role in ids if role not in named]
    parts = {role: [infos[n] for n in numbers] for role, numbers in roles.items()}
    tested = roles.get('test') or (roles['train'] if chosen else ())
    if chosen:
        print_log(folds_line(chosen), 'current')
    print_log('\n'.join(class_table(parts, found.classes, not found.boxes)), 'current')
    if drawn and not chosen:
        print_log(f'drawn, stratified by class, seed {seed}: {", ".join(drawn)}', 'current')
    return FitData(
        description=found.description,
        weak=not found.boxes,
        upright=options.upright,
        classes=found.classes,
        source=source,
        sources={role: dict(ids=osp.join(splits, f'{role}.txt')) for role in ids},
        ids={**ids, **(fold_lists(ids['train'], chosen) if chosen else {})},
        counts={role: len(mine) for role, mine in ids.items()},
        train=[infos[n] for n in roles['train']],
        pointing=all_labels_have_boxes([infos[n] for n in tested]),
        folds=chosen,
        lists=splits,
    )


def all_labels_have_boxes(infos: Sequence[dict[str, Any]]) -> bool:
    """Whether there are images, and each label of each has an object that is not difficult."""
    return bool(infos) and all(
        set(info['gt_label'])
        <= set(info['gt_bboxes_labels'][~info['gt_bboxes_difficult']].tolist())
        for info in infos
    )


def found_records(found: FoundData) -> list[dict[str, Any]]:
    """The records of images, as :func:`write_records` takes them."""
    label = {name: k for k, name in enumerate(found.classes)}
    records: list[dict[str, Any]] = []
    for image in found.images:
        annotated = image.checked.image
        objects = [item for item in annotated.objects if item.name in label]
        records.append(
            dict(
                id=image.id,
                file=image.path,
                size_hw=image.checked.size_hw,
                labels=sorted({label[name] for name in annotated.labels if name in label}),
                boxes=[item.box for item in objects],
                box_labels=[label[item.name] for item in objects],
                difficult=[item.difficult for item in objects],
                truncated=[item.truncated for item in objects],
            )
        )
        if image.unknown:
            records[-1].update(unknown=sorted(label[name] for name in image.unknown))
    return records


def write_found(found: FoundData, folder: str) -> str:
    """Write FOLDER/records.json, as :class:`ImageRecords` reads it; returns its path."""
    os.makedirs(folder, exist_ok=True)
    path = osp.join(folder, RECORDS)
    write_records(path, found.classes, found_records(found))
    return path


def fold_lists(ids: Sequence[str], folds: Folds) -> dict[str, list[str]]:
    """Lists of ids 'folds/REPEAT_FOLD/train' and '…/held_out', numbered from 1."""
    return {
        f'folds/{repeat}_{fold + 1}/{name}': [
            ids[n] for n in np.flatnonzero((held_out == fold) == value)
        ]
        for repeat, held_out in enumerate(folds.held_out, 1)
        for fold in range(folds.number)
        for name, value in (('train', False), ('held_out', True))
    }


def folds_line(folds: Folds) -> str:
    """The folds in words."""
    times = f' × {folds.repeats} repeats' if folds.repeats > 1 else ''
    together = f', {folds.together} in one fold' if folds.together else ''
    return (
        f'cross-validated, {folds.number} folds{times}: {folds.reason}; stratified by class'
        f'{together}'
    )


def _split(
    found: FoundData, infos: Sequence[dict[str, Any]], seed: int, options: FoldOptions
) -> tuple[dict[str, list[int]], Folds | None]:
    """Role → numbers of its images, none of them empty; and folds, where they are chosen."""
    parts = [image.checked.image.part for image in found.images]
    labels = [info['gt_label'] for info in infos]
    try:
        roles = split_parts(parts, labels, seed)
    except ValueError as error:
        raise UserError(f'{found.description}: {error}') from error
    chosen = choose_folds(found, labels, roles, options, seed)
    if chosen is not None:
        numbers, folds = chosen
        test = [n for n, part in enumerate(parts) if part == 'test']
        return dict(train=numbers, **({'test': test} if test else {})), folds
    empty = [role for role, numbers in roles.items() if not numbers]
    if empty:
        raise UserError(
            f'{found.description}: no images remain for {empty[0]}; {len(parts)} images in all'
        )
    return roles, None


def infos_of(dataset: BaseDataset) -> list[dict[str, Any]]:
    """`get_data_info` of all images."""
    return [dataset.get_data_info(i) for i in range(len(dataset))]
