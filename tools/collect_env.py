"""Print what a bug report needs: python tools/collect_env.py"""

import argparse

from tcnn_mm.benchmarks.environment import describe_environment
from tcnn_mm.cli.errors import run_tool


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    for key, value in describe_environment().items():
        print(f'{key}: {value}')


if __name__ == '__main__':
    run_tool(main)
