"""List, locate and download the pretrained weights of backbones.

    tcnn weights list              # our backbones and torchvision's
    tcnn weights list 'timm:*vit*' # those of a pattern; timm has 1,800, mmpretrain 430
    tcnn weights where resnet50    # file, folder, URL, licence, sha256, pixels, accuracy
    tcnn weights get resnet50      # download the published file into TCNN_WEIGHTS

`tcnn fit --backbone NAME` fetches what it needs by itself. Files are looked for in TCNN_WEIGHTS
(default: ./checkpoints), and those of `zoo` packages among the installed ones. A download is
checked by its sha256 and goes on where it was interrupted. With TCNN_OFFLINE=1 nothing is
downloaded. top1 is the accuracy on ImageNet that is published for the weights.
"""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`list [PATTERN]`, `where NAME`, `get NAME`."""
    actions = parser.add_subparsers(dest='action', metavar='ACTION', required=True)
    listed = actions.add_parser('list', help='backbones, their licences, accuracies and files')
    listed.add_argument('pattern', nargs='?', help="e.g. 'resnet*', 'timm:*', 'mmpretrain:*'")
    for action, text in (('where', 'where the file is looked for'), ('get', 'download the file')):
        actions.add_parser(action, help=text).add_argument('name', help='of a backbone')


def run(args: argparse.Namespace) -> None:
    """Print what was found or fetched.

    Raises:
        UserError: An unknown name, or a file that cannot be fetched.
    """
    from tcnn_mm.engine.data_folders import resolve_folders
    from tcnn_mm.models.backbones.weight_files import fetch_weight_file
    from tcnn_mm.models.backbones.weight_table import table_lines, what_is_known
    from tcnn_mm.models.backbones.zoo import weight_file

    resolve_folders()
    if args.action == 'list':
        print('\n'.join(table_lines(args.pattern)))
    elif args.action == 'where':
        print('\n'.join(what_is_known(weight_file(args.name))))
    else:
        print(fetch_weight_file(weight_file(args.name)))
