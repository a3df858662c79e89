"""Classification from folders, for the classes of a list: the source tasks (paper, sec. 1)."""

import hashlib
import os
import os.path as osp
from collections import Counter
from collections.abc import Sequence
from typing import Any

from mmengine.dataset import BaseDataset
from mmengine.logging import print_log

from tcnn_mm.datasets.image_ids import image_id
from tcnn_mm.datasets.image_io import IMAGE_SUFFIXES
from tcnn_mm.errors import InvalidValueError, UserError
from tcnn_mm.registry import DATASETS


def read_class_list(path: str) -> list[str]:
    """Read folder names (wnids), one per line; the rest of a line is a comment.

    Raises:
        UserError: No such file, an empty one, a duplicate name.
    """
    if not osp.isfile(path):
        raise UserError(
            f'no class list: {osp.basename(path)}\nlooked for {osp.abspath(path)}\n'
            'make one: python tools/dataset_converters/make_source_classes.py --help'
        )
    with open(path, encoding='utf-8-sig') as file:
        names = [line.split()[0] for line in file if line.strip()]
    duplicates = [name for name, count in Counter(names).items() if count > 1]
    if duplicates:
        raise UserError(f'{path}: duplicate class {duplicates[0]} ({len(duplicates)} such names)')
    if not names:
        raise UserError(f'{path}: no class')
    return names


def _digest(name: str) -> bytes:
    """Hash of a name; bytes of it that are not UTF-8 count as they are."""
    return hashlib.sha256(name.encode('utf-8', 'surrogateescape')).digest()


def held_out(folder: str, files: Sequence[str], count: int) -> set[str]:
    """Draw the images of a class for validation: a function of their names alone.

    Args:
        folder: Name of the class.
        files: Names of its images.
        count: How many; never more than a fifth of them.
    """
    draw = sorted(files, key=lambda name: _digest(f'{folder}/{name}'))
    return set(draw[: min(count, len(files) // 5)])


@DATASETS.register_module()
class ClassFolders(BaseDataset):
    """Images in one folder per class; a text file says which classes, and in which order.

    For the paper's source tasks beyond ILSVRC: 1000 random classes of all ImageNet, or ILSVRC's
    and those under some WordNet nodes. ImageNet as a whole has no validation set: one is held
    out.

    Args:
        class_list (str): Text file of folder names, one per line; the line number is the label.
        roots (str | sequence[str]): Where the folders are; a class is read from the first of
            these that has it.
        split (str): 'train', 'val' (held out of the same folders), or 'trainval' for both.
        val_per_class (int): Images held out, never more than a fifth of a class. Defaults
            to 50, as many as ILSVRC's validation set has.
        num_classes (int, optional): Outputs of the network; a list of another length is an
            error.
        **kwargs: For mmengine's `BaseDataset` (pipeline, indices, test_mode, …).

    Each item: img_path, img_id ('folder/file') and gt_label (int).

    Raises:
        UserError: No list, a class without folder or without images, another number of
            classes.
    """

    def __init__(
        self,
        class_list: str,
        roots: str | Sequence[str],
        split: str = 'train',
        val_per_class: int = 50,
        num_classes: int | None = None,
        **kwargs: Any,
    ) -> None:
        if split not in ('train', 'val', 'trainval'):
            raise InvalidValueError(
                f"ClassFolders: split={split!r}; choose 'train', 'val' or 'trainval'"
            )
        self.class_list, self.split, self.val_per_class = class_list, split, val_per_class
        self.roots = [roots] if isinstance(roots, str) else list(roots)
        names = read_class_list(class_list)
        if num_classes not in (None, len(names)):
            raise UserError(
                f'{class_list}: {len(names)} classes, the config expects {num_classes}; set '
                f'num_classes={len(names)} of the head and of both data sets, or fix the list'
            )
        super().__init__(metainfo=dict(classes=tuple(names)), **kwargs)

    def _folder(self, name: str) -> str | None:
        found = [osp.join(root, name) for root in self.roots]
        return next((path for path in found if osp.isdir(path)), None)

    def load_data_list(self) -> list[dict[str, Any]]:
        """List the images of all classes."""
        names = self.metainfo['classes']
        places = {name: self._folder(name) for name in names}
        folders = {name: path for name, path in places.items() if path is not None}
        absent = [name for name, path in places.items() if path is None]
        if absent:
            raise UserError(
                f'no folder for {len(absent)} of the {len(names)} classes of {self.class_list}: '
                f'{", ".join(absent[:5])}{" …" if len(absent) > 5 else ""}\n'
                f'looked in {", ".join(map(osp.abspath, self.roots))} '
                f'(TCNN_DATA={os.environ.get("TCNN_DATA", "not set, so ./data")})\n'
                'unpack them there, one folder per class, or give roots=[…]'
            )
        items: list[dict[str, Any]] = []
        for label, (name, folder) in enumerate(folders.items()):
            with os.scandir(folder) as entries:
                files = sorted(e.name for e in entries if e.name.lower().endswith(IMAGE_SUFFIXES))
            if not files:
                raise UserError(f'{folder}: no images ({", ".join(IMAGE_SUFFIXES)})')
            hidden = held_out(name, files, self.val_per_class)
            if self.split != 'trainval':
                files = [f for f in files if (f in hidden) == (self.split == 'val')]
            items += [
                dict(
                    img_path=osp.join(folder, file),
                    img_id=image_id(f'{name}/{file}'),
                    gt_label=label,
                )
                for file in files
            ]
        print_log(
            f'ClassFolders: {len(items)} {self.split} images of {len(names)} classes', 'current'
        )
        return items
