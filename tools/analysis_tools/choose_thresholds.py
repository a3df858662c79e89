"""Choose the image score from which on each class is named, and store it in the checkpoint.

    python tools/analysis_tools/choose_thresholds.py configs/tcnn_minivoc.py \\
        work_dirs/tcnn_minivoc/epoch_100.pth
    python tools/analysis_tools/choose_thresholds.py CONFIG CHECKPOINT --ids my_val_list.txt

The threshold of a class is the one of the highest F1 on the config's validation pictures: those
of its val_dataloader, else the `val` split of its test data. The model is the checkpoint's own.
tcnn predict and TCNNInferencer name by what is stored; publishing keeps it. Choose on pictures
that were not trained on: the tool says how many were.
"""

import argparse
import os.path as osp

import numpy as np

from tcnn_mm.analysis.prediction_cache import choosing_set, image_scores, picture_config
from tcnn_mm.checkpoints.config_text import read_config_text
from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.checkpoints.metadata import store_thresholds
from tcnn_mm.cli.arguments import add_common_arguments, load_config_from
from tcnn_mm.cli.errors import run_tool
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.thresholds import best_thresholds
from tcnn_mm.inference.trained_model import load_trained_model
from tcnn_mm.registry import DATASETS


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_common_arguments(parser)
    parser.add_argument('checkpoint', help='its file gets the thresholds')
    parser.add_argument(
        '--loader',
        choices=['train', 'val', 'test'],
        help="whose pictures choose; default: val, else test's `val` split",
    )
    parser.add_argument('--split', help="of that data set; default: val, where it has a 'split'")
    parser.add_argument('--ids', help='a text file: only these of its pictures choose')
    parser.add_argument('--dry-run', action='store_true', help='print, and store nothing')
    return parser.parse_args()


def picture_ids(dataset):
    """What each item's picture is called."""
    infos = (dataset.get_data_info(i) for i in range(len(dataset)))
    return [info.get('img_id') or osp.basename(info['img_path']) for info in infos]


def trained_on(checkpoint, ids):
    """How many of these pictures the checkpoint was trained on; None where nobody can tell."""
    cfg = read_config_text(load_safely(checkpoint)['meta']['cfg'], checkpoint)
    try:
        dataset = DATASETS.build(picture_config(cfg.train_dataloader.dataset))
    except UserError as error:
        print(f'whether these pictures were trained on cannot be told: {error}')
        return None
    known = set(picture_ids(dataset))
    return sum(name in known for name in ids)


def table(classes, thresholds, f1, labels):
    """A line a class."""
    wide = max(map(len, [*classes, 'class']))
    lines = [f'{"class":{wide}}  threshold     F1  positives']
    lines += [
        f'{name:{wide}}  {t:9.3g}  {f:5.3f}  {n:9d}' + ('  never named' if np.isnan(t) else '')
        for name, t, f, n in zip(classes, thresholds, f1, (labels == 1).sum(0), strict=True)
    ]
    return '\n'.join(lines)


def main():
    args = parse_args()
    cfg = load_config_from(args)
    trained = load_trained_model(args.checkpoint, trust=args.trust_checkpoint)
    loader = args.loader or ('val' if cfg.get('val_dataloader') else 'test')
    settings = choosing_set(cfg, loader, args.split, args.ids, pictures=True)
    dataset = DATASETS.build(settings)
    found = list(dataset.metainfo['classes'])
    if found != trained.classes:
        raise UserError(
            f'{args.checkpoint}: names {", ".join(trained.classes)}; the data set of {args.config} '
            f'has {", ".join(found)}'
        )
    ids = picture_ids(dataset)
    seen = trained_on(args.checkpoint, ids)
    rows = image_scores(trained.model, dataset)
    thresholds, f1 = best_thresholds(rows['scores'], rows['labels'])
    print(table(trained.classes, thresholds, f1, rows['labels']))
    chosen_on = f'{len(ids)} pictures of {args.ids or settings.get("split", loader)}'
    if seen:
        chosen_on += f', {seen} of them trained on'
        print(
            f'{seen} of the {len(ids)} pictures were trained on: their scores are higher than '
            'those of new ones, and the thresholds too high. Train on other pictures to choose.'
        )
    if args.dry_run:
        print('nothing stored (--dry-run)')
        return
    store_thresholds(
        args.checkpoint, dict(zip(trained.classes, thresholds, strict=True)), chosen_on
    )
    print(f'{args.checkpoint}: thresholds chosen on {chosen_on}')


if __name__ == '__main__':
    run_tool(main)
