"""How few images are enough: AP over growing parts of the training set.

    python tools/analysis_tools/learning_curve.py configs/tcnn_minivoc_bank.py
    python tools/analysis_tools/learning_curve.py CONFIG --fractions 0.02,0.05,0.1,0.25,0.5,1 \\
        --seeds 3 \\
        --scratch configs/tcnn_minivoc_no-pretrain.py --scratch-minutes 2

At each fraction and seed the same images train
  transfer     the config's run (its head, from its feature bank where it has one);
  whole, LR    one logistic regression a class on frozen features of whole images: the mean of
               their largest patches (λ = 1), from the banks where there are some;
  whole, head  the method's head (FCa, FCb) on the same;
  scratch      `--scratch CONFIG`: a network from random weights, for `--scratch-minutes`.
All are tested on the config's test data. Parts are nested, and stratified by class; part and
training are drawn anew for each seed. Training lasts the config's epochs, but at least
`--min-steps` steps (the schedule is stretched), so that small parts are trained as fully.

Results are kept in learning_curve.json as they come: an interrupted command goes on. Prints mean
(min–max) over the seeds, draws learning_curve.png.
"""

import argparse
import os.path as osp

from mmengine.config import Config

from tcnn_mm.analysis.curve_figures import draw_learning_curve, learning_curve_lines
from tcnn_mm.analysis.learning_curve import CurveFile, prepare_curve, run_curve
from tcnn_mm.cli.arguments import add_common_arguments, load_config_from
from tcnn_mm.cli.errors import run_tool
from tcnn_mm.cli.numbers import listed, real, whole
from tcnn_mm.errors import UserError


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_common_arguments(parser)
    parser.add_argument(
        '--fractions',
        type=listed(real(0.0001, 1)),
        default='0.02,0.05,0.1,0.25,0.5,1',
        help='of the images',
    )
    parser.add_argument('--seeds', type=whole(1), default=3)
    parser.add_argument('--min-steps', type=whole(0), default=1000, help='of a training')
    parser.add_argument('--scratch', help='config of a network without pretraining; default: none')
    parser.add_argument(
        '--scratch-minutes', type=real(0.01), default=5, help='for each of its runs'
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cfg = load_config_from(args)
    if args.scratch and not osp.isfile(args.scratch):
        raise UserError(f'--scratch {args.scratch}: no such config')
    scratch = Config.fromfile(args.scratch) if args.scratch else None
    curve = prepare_curve(cfg, args.min_steps, scratch, args.scratch_minutes)
    name = osp.basename(args.config)
    settings = dict(config=name, metric=curve.metric, min_steps=args.min_steps)
    file = CurveFile(osp.join(cfg.work_dir, 'learning_curve.json'), settings)
    table = run_curve(curve, args.fractions, args.seeds, file)
    names = curve.metric.get('subset')
    label = f'{curve.metric["mode"]} AP %, mean of {", ".join(names) if names else "all classes"}'
    print('\n' + '\n'.join(learning_curve_lines(table, label)))
    draw_learning_curve(osp.join(cfg.work_dir, 'learning_curve.png'), table, label)
    print(f'{file.path}, learning_curve.png')


if __name__ == '__main__':
    run_tool(main)
