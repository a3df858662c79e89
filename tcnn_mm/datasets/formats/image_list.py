"""Image labels for :class:`ImageList`: of a CSV, a JSON, or one folder per class."""

import os
import os.path as osp

from mmengine.logging import print_log

from tcnn_mm.datasets.formats.account import Account, total
from tcnn_mm.datasets.formats.folder_scan import scan_folder
from tcnn_mm.datasets.formats.image_index import ImageIndex
from tcnn_mm.datasets.formats.image_table import find_image_table, refuse_unnamed
from tcnn_mm.datasets.formats.joined_labels import unique
from tcnn_mm.datasets.formats.label_json import file_labels, parse_label_json
from tcnn_mm.datasets.formats.table import read_image_table
from tcnn_mm.datasets.formats.text_file import read_text
from tcnn_mm.datasets.image_io import IMAGE_SUFFIXES, image_size
from tcnn_mm.errors import UserError


def read_folders(root: str) -> dict[str, list[str]]:
    """List the images of a folder with one sub-folder per class.

    Args:
        root: The folder. Files of deeper folders belong to the class above them.

    Returns:
        {'class/…/file': ['class']}, sorted by class, folder and file.
    """
    found = {}
    for name in sorted(os.listdir(root)):
        for folder, _, files in sorted(os.walk(osp.join(root, name))):
            for file in sorted(files):
                if file.lower().endswith(IMAGE_SUFFIXES):
                    found[osp.relpath(osp.join(folder, file), root)] = [name]
    return found


def read_image_labels(
    data_root: str, ann_file: str = '', img_dir: str = ''
) -> dict[str, list[str]]:
    """Read the labels of a list, or of the class folders where no list is given.

    Args:
        data_root: The folder of the data.
        ann_file: A `.csv` or `.json`, below `data_root` or absolute. Defaults to none.
        img_dir: Folder below `data_root` that the list's files, or the class folders, lie in.

    Returns:
        {path relative to `data_root`, with its extension: labels}: the image ids. Of a table of
        boxes: the classes of the boxes.

    Raises:
        UserError: What the readers refuse, a missing list or folder, no image, one file under
            two names, a listed image that does not exist, a table with several parts.
    """
    folder = osp.join(data_root, img_dir)
    path = osp.join(data_root, ann_file) if ann_file else folder
    if not (osp.isfile(path) if ann_file else osp.isdir(path)):
        raise UserError(f'no image labels: {path}\nlooked for {osp.abspath(path)}')
    found = _read_list(path, folder) if ann_file else read_folders(path)
    if not found:
        suffixes = ', '.join(IMAGE_SUFFIXES)
        what = 'no image' if ann_file else f'no folder with images ({suffixes})'
        raise UserError(f'{path}: {what} in it')
    return {osp.join(img_dir, name): labels for name, labels in found.items()}


def _read_list(path: str, folder: str) -> dict[str, list[str]]:
    """Labels of a CSV or JSON; all its images must exist."""
    text, account = read_text(path), Account()
    index = ImageIndex(scan_folder(folder).images)
    if path.lower().endswith('.json'):
        found = file_labels(parse_label_json(text, path), path, index, '', account)
    else:
        found = _read_table(text, path, folder, index, account)
    for reason, entry in account.lost_images.items():
        file = entry[0].rpartition(': ')[2]
        more = f' ({total(account.lost_images)} such images)' if len(entry) > 1 else ''
        raise UserError(f'{path}: {osp.join(folder, file)}: {reason}{more}')
    if account.lines():
        print_log('\n'.join([f'{path}:', *account.lines()]), 'current')
    return found


def _read_table(
    text: str, path: str, folder: str, index: ImageIndex, account: Account
) -> dict[str, list[str]]:
    if not text.strip():
        return {}
    table = find_image_table(text, path, index)
    if table is None:
        raise refuse_unnamed(text, path, index, folder)
    plan = table.plan()
    images = read_image_table(
        table, plan, index, account, lambda file: image_size(osp.join(folder, file))
    )
    parts = sorted({image.part for image in images})
    if len(parts) > 1:
        raise UserError(f'{path}: images of the parts {", ".join(parts)}; write one table per part')
    return {
        image.file: image.labels or unique(item.name for item in image.objects) for image in images
    }
