"""Suggest which images to label next: typical and different ones, then those in doubt.

    tcnn suggest fits/mine --unlabelled photos --count 50
    tcnn suggest --unlabelled photos --count 20          # nothing is labelled yet

RUN is the folder of a tcnn fit, or a checkpoint. Without it the images are compared by the features
of a network alone (--backbone). Images that are labelled, or nearly the same as a labelled one, are
never suggested, so that DIR may hold both. OUT gets suggestions.html (thumbnails, each with its
reason and the patch in doubt), suggestions.csv, suggestions.txt (paths), and label_studio.json with
proposed labels. Features are computed once and kept in OUT/features: the same command given again
goes on where it was interrupted. Nothing is written into DIR.
"""

import argparse

from tcnn_mm.cli.arguments import add_trust_argument
from tcnn_mm.cli.numbers import real, whole

PRINTED = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The fit, the images, and where the files go."""
    parser.add_argument(
        'run_or_checkpoint', nargs='?', metavar='RUN', help='folder of a fit, or a checkpoint'
    )
    parser.add_argument(
        '--unlabelled', nargs='+', required=True, metavar='DIR', help='images or folders of them'
    )
    parser.add_argument('--count', type=whole(1), default=50, help='default: 50')
    parser.add_argument(
        '--typical',
        type=real(0, 1),
        metavar='SHARE',
        help='of typical and different images; default: all below 100 labelled images, none above',
    )
    parser.add_argument(
        '--labelled',
        nargs='+',
        default=[],
        metavar='DIR',
        help='images that are labelled, beside those of RUN',
    )
    parser.add_argument(
        '--out', metavar='DIR', help='folder for the files; default: RUN/suggest, or suggest'
    )
    parser.add_argument(
        '--features',
        metavar='DIR',
        help='folder for features, which several runs may share; default: OUT/features',
    )
    parser.add_argument(
        '--backbone', metavar='NAME', help='without RUN; default: efficientnet_lite0'
    )
    parser.add_argument('--weights', help='its weight file; default: looked for in TCNN_WEIGHTS')
    parser.add_argument(
        '--pixels',
        choices=['imagenet', 'tf', 'caffe'],
        help='what a weight file of unknown origin expects',
    )
    parser.add_argument('--device', help="default: 'cuda' where there is a GPU, else 'cpu'")
    add_trust_argument(parser)


def run(args: argparse.Namespace) -> None:
    """Write the files; print the first suggestions, what was left out, and where the files are.

    Raises:
        UserError: No fit, no images; images that cannot be read, after the files are written.
    """
    from tcnn_mm.compat import quiet_log
    from tcnn_mm.datasets.image_ids import printable
    from tcnn_mm.engine.data_folders import resolve_folders
    from tcnn_mm.errors import UserError
    from tcnn_mm.labelling.label_studio import setting_up
    from tcnn_mm.labelling.suggest import NetworkOptions, kinds, suggest
    from tcnn_mm.labelling.suggest_table import reason

    resolve_folders()
    with quiet_log():
        found = suggest(
            args.run_or_checkpoint,
            args.unlabelled,
            args.out,
            args.count,
            args.labelled,
            args.features,
            NetworkOptions(args.backbone, args.weights, args.pixels),
            args.device,
            args.trust_checkpoint,
            args.typical,
        )
    typical, uncertain = kinds(found.suggestions)
    print(
        f'{len(found.suggestions)} of {len(found.pool.images)} images to label: {typical} typical '
        f'and different, {uncertain} uncertain'
    )
    for each in found.suggestions[:PRINTED]:
        print(f'{printable(each.path)}: {printable(reason(each, found.classes, found.labelled))}')
    if len(found.suggestions) > PRINTED:
        print(f'… {len(found.suggestions) - PRINTED} more in the files')
    print('\n'.join([*found.pool.notes(), *map(printable, found.files.values())]))
    print(printable(setting_up(found.folder)))
    if found.pool.errors:
        raise UserError('\n'.join(found.pool.errors))
