"""List, show and copy the configs that come with the package.

    tcnn configs list
    tcnn configs show tcnn_voc07            # the file; --full: with all that it inherits
    tcnn configs copy tcnn_voc07            # ./tcnn_voc07.py, which inherits the bundled one
    tcnn configs copy tcnn_voc07 --full     # one file that inherits nothing

`tcnn train NAME` runs a bundled config as it is; a copy is for changes of your own.
"""

import argparse
import shlex


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`list`, `show NAME`, `copy NAME`."""
    actions = parser.add_subparsers(dest='action', metavar='ACTION', required=True)
    actions.add_parser('list', help='all bundled configs')
    for action, text in (('show', 'print one'), ('copy', 'copy one into the current folder')):
        action_parser = actions.add_parser(action, help=text)
        action_parser.add_argument('name', help='e.g. tcnn_voc07')
        action_parser.add_argument(
            '--full', action='store_true', help='with everything that it inherits'
        )
        if action == 'copy':
            action_parser.add_argument('--out', help='the file; default: NAME.py')


def run(args: argparse.Namespace) -> None:
    """Print or write.

    Raises:
        UserError: An unknown name; a file that exists already.
    """
    from tcnn_mm.bundled_configs import bundled_configs, config_summary
    from tcnn_mm.cli.config_copy import config_text, copy_config

    if args.action == 'list':
        configs = bundled_configs()
        wide = max(map(len, configs))
        for name, path in configs.items():
            print(f'{name:{wide}}  {config_summary(path)}')
    elif args.action == 'show':
        print(config_text(args.name, args.full), end='')
    else:
        path = copy_config(args.name, args.out, args.full)
        print(f'{path}: change it, then: tcnn train {shlex.quote(path)}')
