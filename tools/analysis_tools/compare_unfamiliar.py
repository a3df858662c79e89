"""Compare what tells images of classes that training never saw, by ROC AUC on held-out classes.

    tcnn fit DATA --folds 5 --out fits/data
    python tools/analysis_tools/compare_unfamiliar.py fits/data/banks/train fits/data/banks/test \\
        --known bus,car --known cat,person

DATA names images for test. Each --known is one choice of classes: a head is trained on the images
that show these alone; test images that show none of them are to be told from those that show
these alone. A bank must hold all windows, as that of a fit with folds does.
"""

import argparse
import json

from tcnn_mm.cli.errors import run_tool
from tcnn_mm.cli.numbers import real, seed, whole


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('train', help='bank of the training images')
    parser.add_argument('test', help='bank of the test images')
    parser.add_argument('--known', action='append', required=True, metavar='CLASS,CLASS')
    parser.add_argument('--seed', type=seed, default=0)
    parser.add_argument(
        '--reference',
        type=real(0.01, 0.9),
        default=0.25,
        help='share of the training images that no head reads, as val of a fit',
    )
    parser.add_argument('--images', type=whole(20), default=20, help='of a folder, for drift')
    parser.add_argument('--out', help='a JSON file of all figures')
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    from tcnn_mm.analysis.unfamiliar_comparison import UNFAMILIAR, compare
    from tcnn_mm.analysis.unfamiliar_figures import drift_rate, mean_aucs
    from tcnn_mm.checkpoints.atomic_write import atomic_write
    from tcnn_mm.datasets.feature_bank import FeatureBank
    from tcnn_mm.evaluation.unfamiliar import UNLIKE

    train = FeatureBank(args.train, windows=True)
    test = FeatureBank(args.test, test_mode=True)
    found = []
    for known in args.known:
        one = compare(train, test, known.split(','), args.seed, args.reference)
        found.append(one)
        unlike = one.values[UNFAMILIAR] >= UNLIKE
        print(
            f'{known}: {one.trained} training and {one.reference} reference images; from '
            f'{UNLIKE} on {unlike[~one.truth].mean():.1%} of {(~one.truth).sum()} familiar and '
            f'{unlike[one.truth].mean():.1%} of {one.truth.sum()} unfamiliar images',
            flush=True,
        )
    figures = dict(auc={name: each._asdict() for name, each in mean_aucs(found).items()}, drift={})
    for name, each in figures['auc'].items():
        print('{value:.3f} ({low:.3f}–{high:.3f})'.format(**each), name)
    most = min(int(min(one.truth.sum(), (~one.truth).sum())) for one in found)
    for share in (0, 0.25, 0.5, 1):
        if args.images <= most:
            rate = drift_rate(found, args.images, round(share * args.images))
            figures['drift'][f'{share:.0%}'] = rate
            print(f'drift of {args.images} images, {share:.0%} unfamiliar: said in {rate:.1%}')
    if args.out:
        with atomic_write(args.out) as file:
            json.dump(figures, file, indent=1)


if __name__ == '__main__':
    arguments = parse_args()
    run_tool(lambda: main(arguments))
