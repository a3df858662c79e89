"""From a folder of annotated images to a tested classifier: what `tcnn fit` does.

Each step leaves files, and a step whose files exist is not done again: the same command given
once more continues an interrupted fit.
"""

import os
import os.path as osp
from collections.abc import Sequence
from typing import Any

from mmengine.logging import print_log
from mmengine.registry import init_default_scope

from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.estimator.fit_results import choose_thresholds, result_lines, test
from tcnn_mm.estimator.plan import make_plan
from tcnn_mm.estimator.training import make_banks, train, write_config
from tcnn_mm.reports.report import write_report


def fit(data: str | Sequence[str], backbone: str, out: str, **options: Any) -> str:
    """Plan, write the config, compute the banks, train, choose thresholds, test, report.

    Args:
        data: Folder of annotated images, file of annotations, or several of them; nothing is
            written into them.
        backbone: A key of `BACKBONES`.
        out: Folder for everything that is written.
        **options: weights, pixels, scales, seed, reading of :func:`make_plan`.

    Returns:
        Path of the checkpoint, with thresholds.

    Raises:
        UserError: What :func:`make_plan` refuses; a fit of other options in `out`.
    """
    init_default_scope('mmpretrain')
    out = osp.abspath(out)
    os.makedirs(out, exist_ok=True)
    steps = iter(range(1, 7))

    def say(text: str) -> None:
        print_log(f'[{next(steps)}/6] {text}', 'current')

    say('reading the data')
    plan = make_plan(data, backbone, out, **options)
    path = write_config(plan)
    say('features of all patches by the frozen network (computed once; resumable)')
    make_banks(path, plan)
    say('training the two layers')
    checkpoint = train(path)
    say('thresholds, chosen on val')
    thresholds = choose_thresholds(out, checkpoint, plan.data.classes)
    say('testing')
    test(path, checkpoint)
    lines = result_lines(out, thresholds)
    with atomic_write(osp.join(out, 'results.txt')) as file:
        file.write('\n'.join(lines) + '\n')
    print('\n'.join(lines))
    say('report')
    run = osp.join(out, 'run')
    page = write_report(run, osp.join(out, 'report.html'), images=4)
    print(
        f'checkpoint {checkpoint}\noverlays   {osp.join(run, "score_maps")}\nreport     {page}\n'
        f'classify new images: tcnn predict IMAGE --checkpoint {checkpoint} --out DIR'
    )
    return checkpoint
