"""Which images YOLO's `data.yaml`, or lists of image paths, name for which part."""

import os.path as osp
import re

from tcnn_mm.datasets.formats.account import Account
from tcnn_mm.datasets.formats.folder_scan import FolderScan, is_image
from tcnn_mm.datasets.formats.image_index import ImageIndex, clean_name
from tcnn_mm.datasets.formats.parts import part_of_name, part_of_path
from tcnn_mm.datasets.formats.text_file import read_text
from tcnn_mm.datasets.formats.yolo_yaml import DataYaml

Sets = dict[str, set[str]]
ABSOLUTE = re.compile(r'[/\\]|[A-Za-z]:')


def named_sets(
    scan: FolderScan,
    index: ImageIndex,
    yamls: list[DataYaml],
    texts: list[str],
    account: Account,
) -> Sets:
    """Find the images of the parts.

    Args:
        texts: Text files that are no label files: lists of images by their content (darknet's
            `train.txt`), which count where no `data.yaml` names a part.

    Returns:
        'train', 'val', 'test', 'trainval' → images; empty where nothing names any. A part whose
        images are exactly those for training is left out, with a note.
    """
    sets: Sets = {}
    for one in yamls:
        for part, entry in one.entries:
            images = _entry_images(scan, index, one, entry)
            if images:
                sets.setdefault(part, set()).update(images)
            else:
                account.note(
                    f'{one.file}: {part} is {entry}, which is not in this folder: not followed'
                )
    for file in texts if not sets else []:
        part_by_name = part_of_name(osp.splitext(osp.basename(file))[0])
        images = _listed(scan, index, file) if part_by_name else set()
        if part_by_name and images:
            sets.setdefault(part_by_name, set()).update(images)
    for part in ('val', 'test'):
        if part in sets and sets[part] == sets.get('train'):
            del sets[part]
            account.note(f'{part} names the same images as train: {part} is drawn from them')
    return sets


def _entry_images(scan: FolderScan, index: ImageIndex, one: DataYaml, entry: str) -> set[str]:
    """Images of a folder or list that an entry means; none outside of the data's root."""
    folders = {osp.dirname(image) for image in index.images}
    lists = {file for file in scan.files if file.lower().endswith('.txt')}
    for place in _places(one, entry):
        if place in lists:
            return _listed(scan, index, place)
        found = {f for f in folders if place in ('', f) or f.startswith(f'{place}/')}
        if found:
            return {image for image in index.images if osp.dirname(image) in found}
    return set()


def _places(one: DataYaml, entry: str) -> list[str]:
    """Where an entry may be below the root: as written, else by the end of its path.

    Roboflow writes `../train/images` for `train/images`; others write where their own machine has
    the data: the longest end of the path that is there counts.
    """
    folder, name = osp.dirname(one.file), clean_name(entry)
    whole = [n for n in f'{clean_name(one.base)}/{name}'.split('/') if n not in ('..', '.', '')]
    ends = ['/'.join(whole[at:]) for at in range(len(whole))]
    if ABSOLUTE.match(entry.strip()):
        # `test/images` is not the folder `images` of all parts.
        ends = [end for end in ends if part_of_path(end) == part_of_path(name)]
        written = []
    else:
        within = '/'.join(n for n in name.split('/') if n != '..')
        ends = [end for end in ends if end == within or end.endswith(f'/{within}')]
        written = [osp.join(folder, clean_name(one.base), name), osp.join(folder, name)]
    places = [*written, *(osp.join(folder, end) for end in ends), *ends]
    return [p for p in map(_normal, places) if not p.startswith('..')]


def _normal(path: str) -> str:
    path = osp.normpath(path)
    return '' if path == '.' else path


def _listed(scan: FolderScan, index: ImageIndex, file: str) -> set[str]:
    """The images that the lines of a list name; none where it is no list of images."""
    lines = read_text(scan.path(file), errors='surrogateescape').splitlines()
    names = [line.strip() for line in lines if is_image(line.strip())]
    found = (index.find(name, osp.dirname(file)).file for name in names)
    return {image for image in found if image}
