"""What the score maps are worth: do they point at the object, and who else does?

    python tools/analysis_tools/compare_pointing.py configs/tcnn_minivoc.py CHECKPOINT

One test pass gives the votes' points (on the config's map, and where that is damped on the paper's
too) and the guess at the middle of each image, with the same image scores. A class activation
map of the same frozen network, trained on the config's training images with image labels alone,
gives points and scores of its own, at each of `--cam-scales` (the image's shorter side in patch
sides). Prints AP and hit rate per class, writes compare_pointing.json into the work dir.
"""

import argparse
import json
import os.path as osp

from tcnn_mm.analysis.pointing_comparison import compare_pointing, report_lines
from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.cli.arguments import add_common_arguments, load_config_from
from tcnn_mm.cli.errors import run_tool
from tcnn_mm.cli.numbers import real


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_common_arguments(parser)
    parser.add_argument('checkpoint', help='of the head whose votes are tested')
    parser.add_argument(
        '--cam-scales', type=real(1, 100), nargs='*', default=[1.0, 2.0], help='none: without CAM'
    )
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cfg = load_config_from(args)
    metric, reports = compare_pointing(cfg, args.checkpoint, args.cam_scales, args.trust_checkpoint)
    print(
        f'\n{len(metric.scores[0])} images; {metric.mode} AP within {metric.tolerance} px of a '
        f'box, hits within {metric.hit_tolerance} px\n'
    )
    print('\n'.join(report_lines(reports, metric.class_names(), metric.subset)))
    with atomic_write(osp.join(cfg.work_dir, 'compare_pointing.json')) as file:
        json.dump(dict(metric=metric.report, ways=reports), file, indent=2)


if __name__ == '__main__':
    run_tool(main)
