"""Average precision of result files, recomputed as the devkit does it.

    python tools/analysis_tools/score_submission.py RESULTS data/VOCdevkit/VOC2012
    python tools/analysis_tools/score_submission.py work_dirs/x/results_comp2_val.tar.gz \\
        data/VOCdevkit/VOC2012

RESULTS is a folder that holds a `results` tree, or an archive as for the server. The truth is the
folder's official class files (ImageSets/Main/cat_val.txt, ImageSets/Action/jumping_val.txt) where
all are there, else its annotations; a picture or person without a line counts as ranked last.
"""

import argparse
import os.path as osp

import numpy as np

from tcnn_mm.cli.errors import run_tool
from tcnn_mm.datasets.image_labels import image_labels
from tcnn_mm.datasets.voc import VOC_CLASSES, VOCObjects
from tcnn_mm.datasets.voc_action import ACTIONS, VOCAction
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.ap_report import ap_report, ap_table
from tcnn_mm.evaluation.average_precision import MODES
from tcnn_mm.evaluation.result_files import COMPETITIONS, align, read_results


def truth_of_class_files(root, comp, split, classes):
    """(keys, (N, K) labels, where from) of the official class files; None if one is absent."""
    folder = osp.join(root, 'ImageSets', COMPETITIONS[comp][0])
    columns = []
    for name in classes:
        path = osp.join(folder, f'{name}_{split}.txt')
        if not osp.isfile(path):
            return None
        with open(path, encoding='utf-8') as file:
            rows = [line.split() for line in file if line.strip()]
        for row in rows:
            if row[-1] not in ('1', '0', '-1'):
                raise UserError(f'{path}: "{" ".join(row)}" ends in no label (1, 0, -1)')
        columns.append({tuple(key): int(label) for *key, label in rows})
    if any(column.keys() != columns[0].keys() for column in columns):
        raise UserError(f'{folder}: the class files of {split} do not list the same keys')
    keys = list(columns[0])
    return keys, np.array([[column[key] for column in columns] for key in keys]), 'class files'


def truth_of_annotations(root, comp, split, classes):
    """The same of the annotations of the split's list."""
    metainfo = dict(classes=tuple(classes))
    # allow_unknown: results may be of some classes only.
    options = dict(metainfo=metainfo, allow_unknown=True, with_images=False, test_mode=True)
    kind = VOCObjects if COMPETITIONS[comp][1] == 'cls' else VOCAction
    dataset = kind(root, split, **options)
    keys, labels = [], []
    for i in range(len(dataset)):
        item = dataset.get_data_info(i)
        number = item.get('object_index')
        keys.append((item['img_id'],) if number is None else (item['img_id'], str(number)))
        labels.append(image_labels(item['gt_label'], item['gt_label_difficult'], len(classes)))
    return keys, np.array(labels), 'annotations'


def score(results, root, comp, split, classes, mode='voc10'):
    """AP of one competition's results.

    Args:
        results (dict): class name → {key: score}, of :func:`read_results`.
        root (str): The VOC folder.
        classes (sequence[str]): All of them must have results.

    Returns:
        tuple[dict, str]: the report (see :func:`ap_report`) and where the truth comes from.
    """
    missing = [name for name in classes if name not in results]
    strange = sorted(results.keys() - set(classes))
    if missing or strange:
        raise UserError(
            f'{comp} {split}: no results for {", ".join(missing) or "none"}; results of unknown '
            f'classes: {", ".join(strange) or "none"}; name the classes with --classes'
        )
    arguments = root, comp, split, classes
    truth = truth_of_class_files(*arguments) or truth_of_annotations(*arguments)
    keys, labels, source = truth
    columns = [align(results[name], keys, f'{comp}_{split}_{name}') for name in classes]
    report = ap_report(comp, classes, np.stack(columns, 1), labels, mode)
    if COMPETITIONS[comp][1] == 'action':
        report.update(images=len({key[0] for key in keys}), persons=len(keys))
    return report, source


def main():
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
        report, source = score(results, args.data_root, comp, split, classes, args.mode)
        print(ap_table(report, f'{comp} {split}, {args.mode}, truth of the {source}'))


if __name__ == '__main__':
    run_tool(main)
