"""Print versions, machine and folders: what a bug report needs."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(args: argparse.Namespace) -> None:
    """Print one line per fact."""
    from tcnn_mm.benchmarks.environment import describe_environment

    for key, value in describe_environment().items():
        print(f'{key}: {value}')
