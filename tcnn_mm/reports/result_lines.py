"""The results of a test as lines of text."""

import json
import os.path as osp
import shlex
from typing import Any

from tcnn_mm.errors import UserError


def result_lines(work_dir: str) -> list[str]:
    """One line per metric of WORK_DIR/voc_ap.json: mAP and AP per class in percent.

    Raises:
        UserError: No results in this folder.
    """
    path = osp.join(work_dir, 'voc_ap.json')
    if not osp.isfile(path):
        raise UserError(
            f'no results: {path}; test first: tcnn test CONFIG CHECKPOINT --work-dir '
            f'{shlex.quote(work_dir)}'
        )
    with open(path, encoding='utf-8') as file:
        results = json.load(file)
    if not results:
        return ['no AP: the annotations of this split are secret; see results_*.tar.gz']
    return [line for result in results for line in _lines(result)]


def _lines(result: dict[str, Any]) -> list[str]:
    """The lines of one metric."""
    each = ', '.join(f'{name} {_percent(row["ap"])}' for name, row in result['classes'].items())
    what = f'{result["images"]} images'
    if 'persons' in result:
        what = f'{result["persons"]} persons of {what}'
    lines = [f'{result["metric"]} mAP {_percent(result["mAP"])} on {what}: {each}']
    if result.get('hit_rate') is not None:
        lines.append(
            f'{result["metric"]} hits {_percent(result["hit_rate"])} % within '
            f'{result["hit_tolerance"]} px; the center of every image: mAP '
            f'{_percent(result["centre_mAP"])}, hits {_percent(result["centre_hit_rate"])} %'
        )
    return lines


def _percent(value: float | None) -> str:
    """A fraction as percent; a dash where it is not defined."""
    return '–' if value is None else f'{100 * value:.1f}'
