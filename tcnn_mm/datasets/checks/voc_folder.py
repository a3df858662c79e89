"""Check lists, annotations and images of one folder in VOC's layout; nothing is changed."""

import os
import os.path as osp
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tcnn_mm.compat import quiet_log
from tcnn_mm.datasets.checks.find_voc import ARCHIVES, PARTS, SIZES
from tcnn_mm.datasets.formats.voc_xml import parse_voc_xml
from tcnn_mm.datasets.image_io import IMAGE_SUFFIXES, image_size, load_bgr
from tcnn_mm.datasets.voc import VOC_CLASSES
from tcnn_mm.datasets.voc_action import VOCAction
from tcnn_mm.errors import UserError


@dataclass
class VOCFindings:
    """What one folder holds; objects are counted over all its lists, each image once.

    Attributes:
        lists: Ids by split.
        persons: (persons, images) by action split.
        objects, difficult: Objects by class.
        images: (split, class) → images with an object of the class that is not difficult.
        problems: What a run would stop at, one sentence with the file each.
        notes: What is unusual but allowed.
    """

    lists: dict[str, list[str]] = field(default_factory=dict)
    persons: dict[str, tuple[int, int]] = field(default_factory=dict)
    objects: Counter[str] = field(default_factory=Counter)
    difficult: Counter[str] = field(default_factory=Counter)
    images: Counter[tuple[str, str]] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check_voc_folder(folder: str, year: int | None = None, decode: bool = False) -> VOCFindings:
    """Check lists, annotations and images.

    Args:
        year: 2007 or 2012 where the folder is VOC's own: then its published counts, classes and
            action lists are expected.
        decode: Decode every image, not only its header.
    """
    findings = VOCFindings()
    absent = [part for part in PARTS if not osp.isdir(osp.join(folder, part))]
    findings.problems += [f'{osp.join(folder, part)}: no such folder' for part in absent]
    _read_lists(folder, findings)
    _compare_sizes(year, findings)
    images = _files(osp.join(folder, 'JPEGImages'), IMAGE_SUFFIXES)
    annotations = _files(osp.join(folder, 'Annotations'), ('.xml',))
    splits: dict[str, list[str]] = {}
    for split, ids in findings.lists.items():
        for image_id in ids:
            splits.setdefault(image_id, []).append(split)
    secret = 0
    for image_id, listed in splits.items():
        image, xml = images.get(image_id), annotations.get(image_id)
        if not image and 'JPEGImages' not in absent:
            place = osp.join(folder, 'JPEGImages', f'{image_id}.*')
            findings.problems.append(f'{place}: no image (listed in {", ".join(listed)})')
        if not xml and year == 2012 and listed == ['test']:
            secret += 1
        elif not xml and 'Annotations' not in absent:
            place = osp.join(folder, 'Annotations', f'{image_id}.xml')
            findings.problems.append(f'{place}: no annotation (listed in {", ".join(listed)})')
        objects = _check_item(xml, image, decode, findings)
        findings.objects.update(o['name'] for o in objects)
        findings.difficult.update(o['name'] for o in objects if o['difficult'])
        present = {o['name'] for o in objects if not o['difficult']}
        findings.images.update((split, name) for split in listed for name in present)
    if secret:
        findings.notes.append(
            f'test: {secret} images without annotation; those of VOC2012 test are not public'
        )
    unknown = sorted(set(findings.objects) - set(VOC_CLASSES)) if year else []
    if unknown:
        findings.problems.append(f'{folder}: no classes of VOC: {", ".join(unknown)}')
    if not absent:
        _check_actions(folder, year, findings)
    return findings


def outside(box: Sequence[float], height: int, width: int) -> bool:
    """Whether a VOC box (xyxy, 1-based, last pixel included) has no pixel in the image."""
    x1, y1, x2, y2 = box
    return min(x2, width) <= max(x1 - 1, 0) or min(y2, height) <= max(y1 - 1, 0)


def _files(folder: str, extensions: Sequence[str]) -> dict[str, str]:
    """Paths of the files with one of these extensions, by id; empty for no folder."""
    names = sorted(os.listdir(folder)) if osp.isdir(folder) else []
    split = [osp.splitext(name) for name in names]
    return {a: osp.join(folder, a + b) for a, b in split if b.lower() in extensions}


def _read_lists(folder: str, findings: VOCFindings) -> None:
    """Fill `findings.lists` from ImageSets/Main, without the class files."""
    main = osp.join(folder, 'ImageSets', 'Main')
    order = ['train.txt', 'val.txt', 'trainval.txt', 'test.txt']
    names = sorted(os.listdir(main)) if osp.isdir(main) else []
    names.sort(key=lambda name: order.index(name) if name in order else len(order))
    for name in names:
        split, extension = osp.splitext(name)
        if extension != '.txt':
            continue
        path = osp.join(main, name)
        with open(path, encoding='utf-8') as file:
            ids = [line.strip() for line in file if line.strip()]
        words = ids[0].split() if ids else []
        if len(words) == 2 and words[1] in ('-1', '0', '1'):
            continue
        if not ids:
            findings.problems.append(f'{path}: empty list')
        twice = [i for i, count in Counter(ids).items() if count > 1]
        if twice:
            findings.problems.append(f'{path}: duplicate id {twice[0]} ({len(twice)} such ids)')
        findings.lists[split] = list(dict.fromkeys(ids))
    if not findings.lists:
        findings.problems.append(f'{main}: no list of ids (trainval.txt, say: one id per line)')
    for one, other in (('train', 'val'), ('trainval', 'test')):
        both = set(findings.lists.get(one, ())) & set(findings.lists.get(other, ()))
        if both:
            findings.problems.append(
                f'{main}: {len(both)} ids are in both {one} and {other}, e.g. {min(both)}'
            )


def _compare_sizes(year: int | None, findings: VOCFindings) -> None:
    """Compare with the published lists: a missing one is a problem, a short one a note."""
    for split, size in SIZES.get(year or 0, {}).items():
        found = len(findings.lists.get(split, ()))
        if split not in findings.lists:
            archives = ARCHIVES[year or 0]
            archive = archives.get(split, archives['trainval'])
            findings.problems.append(f'no ImageSets/Main/{split}.txt: unpack {archive}')
        elif found != size:
            findings.notes.append(
                f'{split} has {found} images, the full VOC{year} {size}: figures on it are not '
                "the benchmark's"
            )


def _check_item(
    xml: str | None, image: str | None, decode: bool, findings: VOCFindings
) -> Sequence[Mapping[str, Any]]:
    """Check one annotation and its image (either None if absent); returns the objects."""
    objects: Sequence[Mapping[str, Any]] = []
    sizes = {}
    if xml:
        try:
            annotation = parse_voc_xml(xml)
            objects = annotation['objects']
            if annotation['height'] and annotation['width']:
                sizes['annotated size'] = annotation['height'], annotation['width']
        except UserError as error:
            findings.problems.append(str(error))
    if image:
        try:
            sizes['image'] = load_bgr(image).shape[:2] if decode else image_size(image)
        except UserError as error:
            findings.problems.append(str(error))
    for at, item in enumerate(objects, 1):
        for what, (height, width) in sizes.items():
            if outside(item['box'], height, width):
                findings.problems.append(
                    f'{xml}: object {at} ({item["name"]}): box {item["box"]} lies wholly outside '
                    f'the {what} of {width}×{height}'
                )
                break
    if len(set(sizes.values())) == 2:
        findings.notes.append(f'{xml}: size differs from its image: {sizes}')
    return objects


def _check_actions(folder: str, year: int | None, findings: VOCFindings) -> None:
    """Check the lists of VOC2012's action task, where there are any, with their annotations."""
    lists = osp.join(folder, 'ImageSets', 'Action')
    if not osp.isdir(lists):
        if year == 2012:
            findings.notes.append(f'no {lists}: the configs of actions need it')
        return
    for split in ('train', 'val', 'trainval', 'test'):
        if not osp.isfile(osp.join(lists, f'{split}.txt')):
            continue
        try:
            with quiet_log():  # what the data set warns of is a problem or a note already
                # test: boxes are public, actions are not.
                data = VOCAction(folder, split, annotations=split != 'test', test_mode=True)
        except UserError as error:
            findings.problems.append(str(error).splitlines()[0])
            continue
        images = {data.get_data_info(i)['img_id'] for i in range(len(data))}
        findings.persons[split] = len(data), len(images)
