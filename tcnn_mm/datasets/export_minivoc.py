"""Write the embedded data set as a folder in VOC format, with the labels as a CSV beside it."""

import csv
import os.path as osp
import shutil

from tcnn_mm.datasets.mini_voc.dataset import MiniVOC
from tcnn_mm.errors import UserError


def export_minivoc(out: str) -> int:
    """Write train (60), val (60) and test (120 images of six classes), and OUT/labels.csv.

    Args:
        out: The folder; must not exist.

    Returns:
        Number of images.

    Raises:
        UserError: The folder exists.
    """
    if osp.exists(out):
        raise UserError(f'{out}: exists already; give another folder')
    parts = [MiniVOC(split=split) for split in ('train', 'val', 'test')]
    shutil.copytree(parts[0].data_root, out)
    with open(osp.join(out, 'labels.csv'), 'w', encoding='utf-8', newline='') as file:
        writer = csv.writer(file)
        for data in parts:
            for info in map(data.get_data_info, range(len(data))):
                names = [data.metainfo['classes'][k] for k in info['gt_label']]
                writer.writerow([f'JPEGImages/{osp.basename(info["img_path"])}', *names])
    return sum(map(len, parts))
