"""The annotated images of a fit: data set configs by role, classes, counts."""

import os
import os.path as osp
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.datasets.formats.coco import coco_classes, read_coco
from tcnn_mm.datasets.formats.detect_format import DataFormat, detect_format
from tcnn_mm.datasets.formats.image_list import read_image_labels
from tcnn_mm.datasets.formats.voc_xml import parse_voc_xml
from tcnn_mm.datasets.stratified_split import split_roles
from tcnn_mm.errors import UserError
from tcnn_mm.registry import DATASETS


@dataclass(frozen=True)
class FitData:
    """Annotated images, at least a part to train on.

    Attributes:
        description (str): What was found, in words.
        weak (bool): There are image labels but no boxes.
        classes (list[str]): K names.
        source (dict): Data set config that all parts share.
        sources (dict[str, dict]): Role ('train', and perhaps 'val' and 'test') → the entries of
            its data set config that differ between parts.
        counts (dict[str, int]): Role → number of images.
        train (list[dict]): `get_data_info` of the training images.
    """

    description: str
    weak: bool
    classes: list[str]
    source: dict[str, Any]
    sources: dict[str, dict[str, Any]]
    counts: dict[str, int]
    train: list[dict[str, Any]]


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
        classes=list(data.metainfo['classes']),
        source=source,
        sources=dict(train={}),
        counts=dict(train=len(train)),
        train=train,
    )


def read_folder(data: str, splits: str, seed: int = 0) -> FitData:
    """The images of a folder (or file) of annotations, split into train, val and test.

    Args:
        data: In one of the layouts that :func:`detect_format` knows.
        splits: Folder that gets one list of ids per role.
        seed: Of the draw of parts that the data do not name.

    Raises:
        UserError: No known layout; annotations that cannot be read; too few images or classes.
    """
    layout = detect_format(data)
    print_log(f'found {layout.description}', 'current')
    built, parts, classes = open_parts(layout, splits)
    infos = {role: infos_of(part) for role, part in built.items()}
    roles = _split(data, infos, classes, seed)
    for role, (of, ids) in roles.items():
        write_list(splits, role, ids)
        drawn = '' if of == role else f' (drawn from {of}, seed {seed})'
        print_log(f'{role}: {len(ids)} images{drawn}', 'current')
    shared = set.intersection(*({(k, repr(v)) for k, v in p.items()} for p in parts.values()))
    keys = {key for key, _ in shared}
    of_train, train_ids = roles['train'][0], set(roles['train'][1])
    return FitData(
        description=layout.description,
        weak=layout.weak,
        classes=classes,
        source={k: v for k, v in parts[of_train].items() if k in keys},
        sources={
            role: {
                **{k: v for k, v in parts[of].items() if k not in keys},
                'ids': osp.join(splits, f'{role}.txt'),
            }
            for role, (of, _) in roles.items()
        },
        counts={role: len(ids) for role, (_, ids) in roles.items()},
        train=[info for info in infos[of_train] if info['img_id'] in train_ids],
    )


def _split(
    data: str, infos: Mapping[str, Sequence[dict[str, Any]]], classes: Sequence[str], seed: int
) -> dict[str, tuple[str, list[str]]]:
    """Role → (role in the data, ids), none of them empty."""
    known = {role: [info['img_id'] for info in mine] for role, mine in infos.items()}
    labels = {role: [info['gt_label'] for info in mine] for role, mine in infos.items()}
    try:
        roles = split_roles(known, labels, seed)
    except ValueError as error:
        raise UserError(f'{data}: {error}') from error
    empty = [role for role, (_, ids) in roles.items() if not ids]
    if empty or not classes:
        what = f'no images remain for {empty[0]}' if empty else 'no class'
        raise UserError(f'{data}: {what}; {sum(map(len, known.values()))} images in all')
    return roles


def infos_of(dataset: BaseDataset) -> list[dict[str, Any]]:
    """`get_data_info` of all images."""
    return [dataset.get_data_info(i) for i in range(len(dataset))]


def open_parts(
    layout: DataFormat, splits: str
) -> tuple[dict[str, BaseDataset], dict[str, dict[str, Any]], list[str]]:
    """Build the parts of a layout as data sets with one list of classes.

    Args:
        layout: What lies at a path.
        splits: Folder for a list of all ids, where a VOC folder has none.

    Returns:
        Data sets by role, their configs by role, class names.
    """
    parts = {role: dict(part) for role, part in layout.parts.items()}
    if layout.kind == 'voc':
        for part in parts.values():
            part['allow_empty'] = True
            if part['ann_file'] is None:
                part['ann_file'] = write_list(splits, 'all', xml_ids(part['data_root']))
        classes = voc_classes(parts)
    elif layout.kind == 'coco':
        named = [coco_classes(read_coco(part['ann_file'])) for part in parts.values()]
        classes = list(dict.fromkeys(name for mine in named for name in mine))
    else:
        labels = [
            read_image_labels(part['data_root'], part.get('ann_file', ''), part.get('img_dir', ''))
            for part in parts.values()
        ]
        classes = sorted({name for part in labels for mine in part.values() for name in mine})
    metainfo = dict(classes=tuple(classes))
    built = {role: DATASETS.build(dict(part, metainfo=metainfo)) for role, part in parts.items()}
    return built, parts, classes


def voc_classes(parts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Names of all objects of a VOC folder's lists, sorted."""
    names: set[str] = set()
    for part in parts.values():
        with open(osp.join(part['data_root'], part['ann_file']), encoding='utf-8-sig') as file:
            ids = file.read().split()
        for image_id in ids:
            xml = osp.join(part['data_root'], 'Annotations', f'{image_id}.xml')
            names.update(o['name'] for o in parse_voc_xml(xml, allow_empty=True)['objects'])
    return sorted(names)


def xml_ids(root: str) -> list[str]:
    """Ids of a VOC folder's annotations, sorted."""
    names = os.listdir(osp.join(root, 'Annotations'))
    return sorted(osp.splitext(name)[0] for name in names if name.endswith('.xml'))


def write_list(folder: str, name: str, ids: Sequence[str]) -> str:
    """Write FOLDER/NAME.txt with one id per line; returns its path."""
    os.makedirs(folder, exist_ok=True)
    path = osp.join(folder, f'{name}.txt')
    with atomic_write(path) as file:
        file.write('\n'.join(ids) + '\n')
    return path
