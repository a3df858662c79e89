"""List, locate and download the pretrained weights of backbones.

    tcnn weights list              # the backbones of `tcnn fit`, and which files are found
    tcnn weights where resnet50    # the file of one backbone: names, folder, URL
    tcnn weights get resnet50      # download torchvision's file into TCNN_WEIGHTS

Files are looked for in TCNN_WEIGHTS (default: ./checkpoints). A download is checked by the hash
in its name. With TCNN_OFFLINE=1 nothing is downloaded.
"""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`list`, `where NAME`, `get NAME`."""
    actions = parser.add_subparsers(dest='action', metavar='ACTION', required=True)
    actions.add_parser('list', help='all backbones and the files that are found')
    for action, text in (('where', 'where the file is looked for'), ('get', 'download the file')):
        actions.add_parser(action, help=text).add_argument('name', help='of a backbone')


def run(args: argparse.Namespace) -> None:
    """Print what was found or fetched.

    Raises:
        UserError: An unknown name, or a file that cannot be fetched.
    """
    from tcnn_mm.engine.data_folders import resolve_folders
    from tcnn_mm.models.backbones.weight_files import fetch_weight_file
    from tcnn_mm.models.backbones.zoo import BACKBONES, weight_file

    resolve_folders()
    if args.action == 'list':
        files = [weight_file(name) for name in BACKBONES]
        wide = max(len(file.name) for file in files)
        for file in files:
            print(f'{file.name:{wide}}  {file.path or "not found: " + " or ".join(file.wanted)}')
    elif args.action == 'where':
        file = weight_file(args.name)
        print(f'file: {file.path or "not found"}')
        print(f'looked for: {" or ".join(file.wanted)}\nin: {file.folder}')
        if file.url:
            print(f'torchvision has one: {file.url}')
    else:
        print(fetch_weight_file(weight_file(args.name)))
