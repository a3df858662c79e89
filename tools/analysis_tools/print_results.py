"""Print the results of a test: python tools/analysis_tools/print_results.py WORK_DIR"""

import argparse

from tcnn_mm.cli.errors import run_tool
from tcnn_mm.reports.result_lines import result_lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('work_dir')
    print('\n'.join(result_lines(parser.parse_args().work_dir)))


if __name__ == '__main__':
    run_tool(main)
