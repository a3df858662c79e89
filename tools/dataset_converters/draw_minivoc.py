"""Write the embedded data set as a folder of images to try things on.

    python tools/dataset_converters/draw_minivoc.py DIR

In VOC format (train 60, val 60, test 120 images of six classes), and beside it the same labels
without boxes as DIR/labels.csv (file,label[,label…]).
"""

import argparse

from tcnn_mm.cli.errors import run_tool
from tcnn_mm.datasets.export_minivoc import export_minivoc


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('out', help='the folder; must not exist')
    out = parser.parse_args().out
    print(f'{out}: {export_minivoc(out)} images in VOC format, and labels.csv')


if __name__ == '__main__':
    run_tool(main)
