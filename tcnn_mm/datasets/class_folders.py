"""Classification from folders, for the classes that a list names: the source tasks (sec. 1)."""

import hashlib
import os
import os.path as osp
from collections import Counter

from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from tcnn_mm.datasets.image_io import IMAGE_SUFFIXES
from tcnn_mm.errors import UserError
from tcnn_mm.registry import DATASETS


def read_class_list(path):
    """Folder names (wnids), one a line; what follows a space is a comment.

    Raises:
        UserError: No such file, an empty one, a name that stands twice.
    """
    if not osp.isfile(path):
        raise UserError(
            f'no class list: {osp.basename(path)}\nlooked for {osp.abspath(path)}\n'
            'make one: python tools/dataset_converters/make_source_classes.py --help'
        )
    with open(path, encoding='utf-8-sig') as file:
        names = [line.split()[0] for line in file if line.strip()]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice or not names:
        what = f'{twice[0]} stands twice ({len(twice)} such names)' if twice else 'no class'
        raise UserError(f'{path}: {what}')
    return names


def held_out(folder, files, count):
    """Which pictures of a class are for validation: drawn by their names, the same everywhere.

    Args:
        folder (str): The class.
        files (sequence[str]): Its n pictures.
        count (int): How many; never more than a fifth of them.

    Returns:
        set[str]: Their names.
    """
    draw = sorted(files, key=lambda name: hashlib.sha256(f'{folder}/{name}'.encode()).digest())
    return set(draw[: min(count, len(files) // 5)])


@DATASETS.register_module()
class ClassFolders(BaseDataset):
    """Pictures in one folder a class; a text file says which classes, and in which order.

    For the paper's source tasks beyond ILSVRC: 1000 random classes of all ImageNet, or ILSVRC's
    and those under some WordNet nodes. ImageNet as a whole has no validation set: one is held
    out.

    Args:
        class_list (str): Text file of folder names, one a line; the line is the label.
        roots (str | sequence[str]): Where the folders are; a class is read from the first of
            these that has it.
        split (str): 'train', 'val' (held out of the same folders), or 'trainval' for both.
        val_per_class (int): Pictures held out, never more than a fifth of a class. Defaults
            to 50, as many as ILSVRC's validation set has.
        num_classes (int, optional): Outputs of the network; a list of another length is an
            error.
        **kwargs: For mmengine's `BaseDataset` (pipeline, indices, test_mode, …).

    Each item: img_path, img_id ('folder/file') and gt_label (int).

    Raises:
        UserError: No list, a class without folder or without pictures, another number of
            classes.
    """

    def __init__(
        self, class_list, roots, split='train', val_per_class=50, num_classes=None, **kwargs
    ):
        if split not in ('train', 'val', 'trainval'):
            raise ValueError(f"ClassFolders: split={split!r}; choose 'train', 'val' or 'trainval'")
        self.class_list, self.split, self.val_per_class = class_list, split, val_per_class
        self.roots = [roots] if isinstance(roots, str) else list(roots)
        names = read_class_list(class_list)
        if num_classes not in (None, len(names)):
            raise UserError(
                f'{class_list}: {len(names)} classes, the config expects {num_classes}; set '
                f'num_classes={len(names)} of the head and of both data sets, or mend the list'
            )
        super().__init__(metainfo=dict(classes=tuple(names)), **kwargs)

    def _folder(self, name):
        found = [osp.join(root, name) for root in self.roots]
        return next((path for path in found if osp.isdir(path)), None)

    def load_data_list(self):
        names = self.metainfo['classes']
        folders = {name: self._folder(name) for name in names}
        absent = [name for name, path in folders.items() if path is None]
        if absent:
            raise UserError(
                f'no folder for {len(absent)} of the {len(names)} classes of {self.class_list}: '
                f'{", ".join(absent[:5])}{" …" if len(absent) > 5 else ""}\n'
                f'looked in {", ".join(map(osp.abspath, self.roots))} '
                f'(TCNN_DATA={os.environ.get("TCNN_DATA", "not set, so ./data")})\n'
                'unpack them there, one folder a class, or give roots=[…]'
            )
        items = []
        for label, (name, folder) in enumerate(folders.items()):
            with os.scandir(folder) as entries:
                files = sorted(e.name for e in entries if e.name.lower().endswith(IMAGE_SUFFIXES))
            if not files:
                raise UserError(f'{folder}: no pictures ({", ".join(IMAGE_SUFFIXES)})')
            hidden = held_out(name, files, self.val_per_class)
            if self.split != 'trainval':
                files = [f for f in files if (f in hidden) == (self.split == 'val')]
            items += [
                dict(img_path=osp.join(folder, file), img_id=f'{name}/{file}', gt_label=label)
                for file in files
            ]
        print_log(
            f'ClassFolders: {len(items)} {self.split} pictures of {len(names)} classes', 'current'
        )
        return items
