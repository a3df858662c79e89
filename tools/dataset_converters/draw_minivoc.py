"""Write the embedded data set as a folder of images to try things on.

    python tools/dataset_converters/draw_minivoc.py DIR

In VOC format (train 60, val 60, test 120 images of six classes), and beside it the same labels
without boxes as DIR/labels.csv (file,label[,label…]).
"""

import argparse
import csv
import os.path as osp
import shutil

from tcnn_mm.cli.errors import run_tool
from tcnn_mm.datasets.mini_voc.dataset import MiniVOC
from tcnn_mm.errors import UserError


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('out', help='the folder; must not be there')
    out = parser.parse_args().out
    if osp.exists(out):
        raise UserError(f'{out}: is there already; give another folder')
    parts = [MiniVOC(split=split) for split in ('train', 'val', 'test')]
    shutil.copytree(parts[0].data_root, out)
    with open(osp.join(out, 'labels.csv'), 'w', encoding='utf-8', newline='') as file:
        writer = csv.writer(file)
        for data in parts:
            for info in map(data.get_data_info, range(len(data))):
                names = [data.metainfo['classes'][k] for k in info['gt_label']]
                image = osp.basename(info['img_path'])
                writer.writerow([osp.join('JPEGImages', image), *names])
    print(f'{out}: {sum(map(len, parts))} images in VOC format, and labels.csv')


if __name__ == '__main__':
    run_tool(main)
