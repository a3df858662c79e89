"""Print the results of a test: python tools/analysis_tools/print_results.py WORK_DIR"""

import argparse
import json
import os.path as osp

from tcnn_mm.cli.errors import run_tool
from tcnn_mm.errors import UserError


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('work_dir')
    path = osp.join(parser.parse_args().work_dir, 'voc_ap.json')
    if not osp.isfile(path):
        raise UserError(f'no results: {path}; run tools/test.py with this --work-dir first')
    with open(path, encoding='utf-8') as file:
        results = json.load(file)
    if not results:
        print('no AP: the annotations of this split are secret; see results_*.tar.gz')
    for result in results:
        each = ', '.join(
            f'{name} {100 * row["ap"]:.1f}' if row['ap'] is not None else f'{name} –'
            for name, row in result['classes'].items()
        )
        mean = '–' if result['mAP'] is None else f'{100 * result["mAP"]:.1f}'
        what = f'{result["images"]} images'
        if 'persons' in result:
            what = f'{result["persons"]} persons of {what}'
        print(f'{result["metric"]} mAP {mean} on {what}: {each}')
        if result.get('hit_rate') is not None:
            print(
                f'{result["metric"]} hits {100 * result["hit_rate"]:.1f} % within '
                f'{result["hit_tolerance"]} px; the middle of every picture: mAP '
                f'{100 * result["centre_mAP"]:.1f}, hits {100 * result["centre_hit_rate"]:.1f} %'
            )


if __name__ == '__main__':
    run_tool(main)
