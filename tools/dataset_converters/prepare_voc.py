"""Check a data set in PASCAL VOC's layout, or say where to get VOC and how to lay it out.

    python tools/dataset_converters/prepare_voc.py                      # $TCNN_DATA, else ./data
    python tools/dataset_converters/prepare_voc.py DIR --year 2012
    python tools/dataset_converters/prepare_voc.py MY_SET --decode      # a folder with \\
        Annotations, ImageSets, …

Nothing is downloaded and nothing is changed. Status 0: sound; 1: not there, or with problems.
"""

import argparse
import os
import os.path as osp
import sys
from collections import Counter
from dataclasses import dataclass, field

from mmengine.logging import MMLogger

from tcnn_mm.cli.errors import run_tool
from tcnn_mm.datasets.formats.voc_xml import parse_voc_xml
from tcnn_mm.datasets.image_io import IMAGE_SUFFIXES, image_size, load_bgr
from tcnn_mm.datasets.voc import VOC_CLASSES
from tcnn_mm.datasets.voc_action import VOCAction
from tcnn_mm.engine.data_folders import resolve_folders
from tcnn_mm.errors import UserError

PARTS = ('Annotations', 'ImageSets', 'JPEGImages')
SIZES = {
    2007: {'train': 2501, 'val': 2510, 'trainval': 5011, 'test': 4952},
    2012: {'train': 5717, 'val': 5823, 'trainval': 11540},
}
ARCHIVES = {
    2007: {'trainval': 'VOCtrainval_06-Nov-2007.tar', 'test': 'VOCtest_06-Nov-2007.tar'},
    2012: {'trainval': 'VOCtrainval_11-May-2012.tar'},
}
GUIDE = """\
PASCAL VOC: get from http://host.robots.ox.ac.uk/pascal/VOC/
{archives}
and unpack all of them in one folder, DATA; each brings its part of
  DATA/VOCdevkit/VOC<year>/Annotations/<id>.xml
                          /ImageSets/Main/{{train,val,trainval,test}}.txt
                          /JPEGImages/<id>.jpg
Then: export TCNN_DATA=DATA, or call the folder `data`.
A set of your own: the same three folders anywhere, one id a line in ImageSets/Main/*.txt; then
python tools/dataset_converters/prepare_voc.py FOLDER"""


@dataclass
class Findings:
    """What one folder holds; objects are counted over all its lists, each picture once."""

    lists: dict = field(default_factory=dict)
    # Action list → (persons, pictures).
    persons: dict = field(default_factory=dict)
    objects: Counter = field(default_factory=Counter)
    difficult: Counter = field(default_factory=Counter)
    # (split, class) → pictures with an object of the class that is not difficult.
    images: Counter = field(default_factory=Counter)
    problems: list = field(default_factory=list)
    notes: list = field(default_factory=list)


def find_folders(data_dir, year=None):
    """Folders to check below (or at) `data_dir`: [(path, 2007 | 2012 | None), …].

    Raises:
        UserError: None there; says where it looked, where VOC is to be had and how it lies.
    """
    data_dir = osp.abspath(osp.expanduser(data_dir))
    if sum(osp.isdir(osp.join(data_dir, part)) for part in PARTS) >= 2:
        named = next((y for y in SIZES if osp.basename(data_dir) == f'VOC{y}'), None)
        return [(data_dir, year or named)]
    found, looked = [], []
    for y in [year] if year else SIZES:
        places = [osp.join(data_dir, *at, f'VOC{y}') for at in (('VOCdevkit',), ())]
        looked += places
        found += [(place, y) for place in places if osp.isdir(place)][:1]
    if found:
        return found
    archives = '\n'.join(
        f'  {name}' for y in SIZES if year in (None, y) for name in ARCHIVES[y].values()
    )
    raise UserError(
        f'no VOC data in {data_dir} (the folder given, else $TCNN_DATA, else ./data)\n'
        f'looked for {", ".join(PARTS)} there, and for\n  '
        + '\n  '.join(looked)
        + '\n'
        + GUIDE.format(archives=archives)
    )


def read_lists(folder, findings):
    """Fill `findings.lists`: {split: ids} of ImageSets/Main, without the class files."""
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
            findings.problems.append(f'{path}: id {twice[0]} stands twice ({len(twice)} such ids)')
        findings.lists[split] = list(dict.fromkeys(ids))
    if not findings.lists:
        findings.problems.append(f'{main}: no list of ids (trainval.txt, test.txt: one id a line)')
    for one, other in (('train', 'val'), ('trainval', 'test')):
        both = set(findings.lists.get(one, ())) & set(findings.lists.get(other, ()))
        if both:
            findings.problems.append(
                f'{main}: {len(both)} ids are in both {one} and {other}, e.g. {min(both)}'
            )


def compare_sizes(year, findings):
    """Set the lists against the published data set: a missing one is a problem, a short one not."""
    for split, size in SIZES.get(year, {}).items():
        found = len(findings.lists.get(split, ()))
        if split not in findings.lists:
            archive = ARCHIVES[year].get(split, ARCHIVES[year]['trainval'])
            findings.problems.append(f'no ImageSets/Main/{split}.txt: unpack {archive}')
        elif found != size:
            findings.notes.append(
                f'{split} has {found} pictures, the full VOC{year} {size}: figures on it are not '
                "the benchmark's"
            )


def outside(box, height, width):
    """Whether a VOC box (1-based, last pixel included) has no pixel in the picture."""
    x1, y1, x2, y2 = box
    return min(x2, width) <= max(x1 - 1, 0) or min(y2, height) <= max(y1 - 1, 0)


def check_item(xml, picture, decode, findings):
    """Check one annotation and its picture (either None if absent); returns the objects."""
    objects, sizes = [], {}
    if xml:
        try:
            annotation = parse_voc_xml(xml)
            objects = annotation['objects']
            if annotation['height'] and annotation['width']:
                sizes['annotated size'] = annotation['height'], annotation['width']
        except UserError as error:
            findings.problems.append(str(error))
    if picture:
        try:
            sizes['picture'] = load_bgr(picture).shape[:2] if decode else image_size(picture)
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
        findings.notes.append(f'{xml}: size differs from its picture: {sizes}')
    return objects


def check_actions(folder, year, findings):
    """Check the lists of VOC2012's action task, where there are any, with their annotations."""
    lists = osp.join(folder, 'ImageSets', 'Action')
    if not osp.isdir(lists):
        if year == 2012:
            findings.notes.append(f'no {lists}: the configs of actions need it')
        return
    # What is wrong is said below; not twice.
    MMLogger.get_current_instance().setLevel('WARNING')
    for split in ('train', 'val', 'trainval', 'test'):
        if not osp.isfile(osp.join(lists, f'{split}.txt')):
            continue
        try:
            # test: boxes are public, actions are not.
            data = VOCAction(folder, split, annotations=split != 'test', test_mode=True)
        except UserError as error:
            findings.problems.append(str(error).splitlines()[0])
            continue
        pictures = {data.get_data_info(i)['img_id'] for i in range(len(data))}
        findings.persons[split] = len(data), len(pictures)


def check_folder(folder, year=None, decode=False):
    """Check lists, annotations and pictures of one folder in VOC's layout; → Findings."""
    findings = Findings()
    absent = [part for part in PARTS if not osp.isdir(osp.join(folder, part))]
    findings.problems += [f'{osp.join(folder, part)}: no such folder' for part in absent]
    read_lists(folder, findings)
    compare_sizes(year, findings)
    files = {}
    for part, extensions in (('JPEGImages', IMAGE_SUFFIXES), ('Annotations', ('.xml',))):
        path = osp.join(folder, part)
        split = [osp.splitext(n) for n in sorted(os.listdir(path))] if part not in absent else []
        files[part] = {a: osp.join(path, a + b) for a, b in split if b.lower() in extensions}
    splits = {}
    for split, ids in findings.lists.items():
        for image_id in ids:
            splits.setdefault(image_id, []).append(split)
    secret = 0
    for image_id, of in splits.items():
        xml, picture = (files[part].get(image_id) for part in ('Annotations', 'JPEGImages'))
        if not picture and 'JPEGImages' not in absent:
            place = osp.join(folder, 'JPEGImages', f'{image_id}.*')
            findings.problems.append(f'{place}: no picture (listed in {", ".join(of)})')
        if not xml and year == 2012 and of == ['test']:
            secret += 1
        elif not xml and 'Annotations' not in absent:
            place = osp.join(folder, 'Annotations', f'{image_id}.xml')
            findings.problems.append(f'{place}: no annotation (listed in {", ".join(of)})')
        objects = check_item(xml, picture, decode, findings)
        findings.objects.update(o['name'] for o in objects)
        findings.difficult.update(o['name'] for o in objects if o['difficult'])
        present = {o['name'] for o in objects if not o['difficult']}
        findings.images.update((split, name) for split in of for name in present)
    if secret:
        findings.notes.append(
            f'test: {secret} pictures without annotation; those of VOC2012 test are not public'
        )
    strange = sorted(set(findings.objects) - set(VOC_CLASSES)) if year else []
    if strange:
        findings.problems.append(f'{folder}: no classes of VOC: {", ".join(strange)}')
    if not absent:
        check_actions(folder, year, findings)
    return findings


def print_findings(folder, year, findings, max_problems):
    """The report of one folder, on standard output."""
    splits = list(findings.lists)
    print(f'{folder}')
    for split, ids in findings.lists.items():
        full = SIZES.get(year, {}).get(split)
        print(f'  {split}: {len(ids)} pictures' + (f' (full VOC{year}: {full})' if full else ''))
    for split, (persons, pictures) in findings.persons.items():
        print(f'  Action/{split}: {persons} persons of {pictures} pictures')
    names = list(VOC_CLASSES) if year else sorted(findings.objects)
    names += sorted(set(findings.objects) - set(names))
    wide = max([len(name) for name in names] + [5])
    columns = [(split, max(len(split), 6)) for split in splits]
    print(f'  {"":{wide}}  {"objects of all lists":>20}  pictures with the class, not difficult')
    print(
        f'  {"class":{wide}}  {"all":>9}  {"difficult":>9}'
        + ''.join(f'  {split:>{w}}' for split, w in columns)
    )
    for name in names:
        print(
            f'  {name:{wide}}  {findings.objects[name]:9d}  {findings.difficult[name]:9d}'
            + ''.join(f'  {findings.images[split, name]:{w}d}' for split, w in columns)
        )
    if not year and names:
        print(f'  for the config: metainfo=dict(classes={tuple(names)})')
    for kind in ('notes', 'problems'):
        found = getattr(findings, kind)
        for text in found[:max_problems]:
            print(f'  {kind[:-1]}: {text}')
        if len(found) > max_problems:
            print(f'  … and {len(found) - max_problems} more {kind} (--max-problems)')
    print(f'  {len(findings.problems)} problems' if findings.problems else '  sound')


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('data_dir', nargs='?', help='default: $TCNN_DATA, else ./data')
    parser.add_argument('--year', type=int, choices=list(SIZES), help='default: all that are there')
    parser.add_argument('--decode', action='store_true', help='decode pictures, not headers only')
    parser.add_argument('--max-problems', type=int, default=20, metavar='N', help='to print')
    args = parser.parse_args(argv)
    resolve_folders()
    bad = 0
    for folder, year in find_folders(args.data_dir or os.environ['TCNN_DATA'], args.year):
        findings = check_folder(folder, year, args.decode)
        print_findings(folder, year, findings, args.max_problems)
        bad += bool(findings.problems)
    if bad:
        sys.exit(1)


if __name__ == '__main__':
    run_tool(main)
