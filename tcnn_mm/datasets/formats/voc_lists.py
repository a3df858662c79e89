"""The lists of a VOC tree: which images are for training, validation and test."""

import os.path as osp
import re

from tcnn_mm.datasets.formats.folder_scan import FolderScan, is_image
from tcnn_mm.datasets.formats.id_list import read_ids
from tcnn_mm.datasets.formats.parts import ROLES
from tcnn_mm.errors import UserError

# Where lists are looked for, in this order; the first folder with lists counts.
PLACES = ('ImageSets/Main', 'ImageSets', 'imagesets/main', 'imagesets', '')


def read_voc_lists(scan: FolderScan, root: str) -> dict[str, list[str]]:
    """Read the lists of one tree.

    Lists of ImageSets/Main, else of ImageSets, else `train.txt`, `val.txt` … in the tree's root.
    A list of another name (CVAT's `default.txt`) counts where it is the only one. The class files
    of VOC (`cat_train.txt`) and the lists of other tasks (`Layout/`, `Action/`) are not read.
    Comments ('# …') are no ids.

    Args:
        root: Of the tree, below the root of the data.

    Returns:
        Part ('train', 'val', 'test', 'trainval', 'all') → ids as written. Ids of trainval that
        are in train or val too are in these alone. Empty without lists.

    Raises:
        UserError: What :func:`read_ids` refuses; two lists for one part.
    """
    for place in PLACES:
        folder = '/'.join(name for name in (root, place) if name)
        files = [f for f in scan.files if f.endswith('.txt') and osp.dirname(f) == folder]
        stems = {file: osp.splitext(osp.basename(file))[0].lower() for file in files}
        named = {file: ROLES[stem] for file, stem in stems.items() if stem in ROLES}
        if not named and place and len(files) == 1:
            named = {files[0]: 'all'}
        if named:
            return _read(scan, named)
    return {}


def _without_xml(line: str) -> str:
    """The image of a line; PaddleDetection's lists name its XML file beside it."""
    pair = re.fullmatch(r'(.+?\.\w+)\s+\S.*\.xml', line, re.IGNORECASE)
    return pair[1] if pair and is_image(pair[1]) else line


def _read(scan: FolderScan, named: dict[str, str]) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {}
    file_of: dict[str, str] = {}
    for file, part in sorted(named.items()):
        other = file_of.setdefault(part, file)
        if other != file:
            raise UserError(f'{scan.path(other)}: {scan.path(file)} is for {part} too')
        ids = read_ids(scan.path(file))
        lists[part] = [_without_xml(i) for i in ids if not re.match(r'#(\s|$)', i)]
    if 'trainval' in lists and ('train' in lists or 'val' in lists):
        known = {i for part in ('train', 'val') for i in lists.get(part, ())}
        rest = [i for i in lists.pop('trainval') if i not in known]
        if rest:
            lists['train'] = [*lists.get('train', ()), *rest]
    order = ('train', 'val', 'trainval', 'test', 'all')
    return {part: lists[part] for part in order if part in lists}
