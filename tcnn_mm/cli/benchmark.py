"""Measure the speed of test and training: what each way of scoring patches costs.

    tcnn benchmark                                 # images of the embedded data set
    tcnn benchmark --images DIR --limit 8 --json speed.json
    tcnn benchmark --profile                       # the costliest operations of each mode

AlexNet (random weights) + FCa/FCb, the paper's nine scales. Modes are interleaved and repeated;
the table has medians. *naive* is what one writes first: each patch cropped by Pillow, float32,
batches of 64 through torchvision's layers. *ceiling* is the same network, dtype and memory format
on ready tensors, best of batch 32, 64, 128: what no cropping can beat; dense modes share the
convolutions and pass it. *map_share* is what localization maps of all 20 classes would add to a
test, as a share of it. A dense grid has its own number of patches: compare images.
"""

import argparse

from tcnn_mm.cli.numbers import whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The images, the number of rounds, the outputs."""
    parser.add_argument('--images', help='folder of photographs; default: MiniVOC')
    parser.add_argument('--limit', type=whole(1), default=8, help='images; default: 8')
    parser.add_argument('--repeats', type=whole(1), default=3, help='rounds; default: 3')
    parser.add_argument(
        '--stride', type=int, default=96, choices=[64, 96], help='of the dense grid, patch pixels'
    )
    parser.add_argument('--profile', action='store_true', help='print the costliest operations')
    parser.add_argument('--json', help='write the tables to this file too')


def run(args: argparse.Namespace) -> None:
    """Measure, print the tables, and write them where asked."""
    from tcnn_mm.benchmarks.benchmark import (
        image_paths,
        report_lines,
        run_benchmark,
        write_result,
    )

    paths = image_paths(args.images, args.limit)
    result = run_benchmark(paths, args.repeats, args.stride, args.profile)
    print('\n'.join(report_lines(result)))
    if args.json:
        write_result(result, args.json)
