"""Average precision of result files, recomputed as the devkit does it.

    python tools/analysis_tools/score_submission.py RESULTS data/VOCdevkit/VOC2012
    python tools/analysis_tools/score_submission.py work_dirs/x/results_comp2_val.tar.gz \\
        data/VOCdevkit/VOC2012

RESULTS is a folder that holds a `results` tree, or an archive as for the server. The truth is the
folder's official class files (ImageSets/Main/cat_val.txt, ImageSets/Action/jumping_val.txt) where
all are there, else its annotations; an image or person without a line counts as ranked last.
"""

import argparse

from tcnn_mm.cli.errors import run_tool
from tcnn_mm.datasets.voc import VOC_CLASSES
from tcnn_mm.datasets.voc_action import ACTIONS
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.ap_report import ap_table
from tcnn_mm.evaluation.average_precision import MODES
from tcnn_mm.evaluation.result_files import COMPETITIONS, read_results
from tcnn_mm.evaluation.score_submission import score_submission


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('results', help='folder or archive')
    parser.add_argument('data_root', help='VOC folder with ImageSets, Annotations')
    parser.add_argument('--comp', choices=list(COMPETITIONS), help='default: all that are there')
    parser.add_argument('--split', help='default: all that are there')
    parser.add_argument('--mode', choices=MODES, default='voc10', help='default: voc10, as VOC2012')
    parser.add_argument('--classes', nargs='+', help="default: VOC's objects or actions")
    args = parser.parse_args()
    found = {
        (comp, split): results
        for (comp, split), results in read_results(args.results).items()
        if args.comp in (None, comp) and args.split in (None, split)
    }
    if not found:
        raise UserError(f'{args.results}: nothing of comp {args.comp}, split {args.split}')
    for (comp, split), results in found.items():
        known = VOC_CLASSES if COMPETITIONS[comp][1] == 'cls' else ACTIONS
        classes = list(args.classes or known)
        report, source = score_submission(results, args.data_root, comp, split, classes, args.mode)
        print(ap_table(report, f'{comp} {split}, {args.mode}, truth of the {source}'))


if __name__ == '__main__':
    run_tool(main)
