"""From a folder of annotated images to a tested classifier: what `tcnn fit` does.

Each step leaves files, and a step whose files exist is not done again: the same command given
once more continues an interrupted fit.
"""

import errno
import os
import os.path as osp
import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mmengine.registry import init_default_scope

from tcnn_mm.checkpoints.atomic_write import atomic_write, remove_stale_drafts
from tcnn_mm.checkpoints.owner_lock import owner_lock
from tcnn_mm.datasets.formats.read_data import ReadOptions
from tcnn_mm.errors import UserError
from tcnn_mm.estimator.before_and_after import before_and_after
from tcnn_mm.estimator.cross_validation import choose_by_folds, cross_validate, read_held_out
from tcnn_mm.estimator.fit_results import (
    choose_thresholds,
    is_tested,
    mark_tested,
    result_lines,
    test,
    val_scores,
)
from tcnn_mm.estimator.fold_choice import FoldOptions
from tcnn_mm.estimator.growth import read_earlier_fit
from tcnn_mm.estimator.keep_images import store_training_images
from tcnn_mm.estimator.plan import make_plan
from tcnn_mm.estimator.training import make_banks, read_config, tell, train, write_config
from tcnn_mm.reports.report import write_report

# Of a full disk, and of a used-up quota, which Windows does not know.
DISK_FULL = (errno.ENOSPC, getattr(errno, 'EDQUOT', errno.ENOSPC))


def fit(data: str | Sequence[str], backbone: str, out: str, **options: Any) -> str:
    """Plan, write the config, compute the banks, train, choose thresholds, test, report.

    Args:
        data: Folder of annotated images, file of annotations, or several of them; nothing is
            written into them.
        backbone: Name of the network.
        out: Folder for everything that is written.
        **options: weights, pixels, scales, seed, reading, quick, folds, earlier of
            :func:`make_plan`.

    Returns:
        Path of the checkpoint, with thresholds.

    Raises:
        UserError: What :func:`make_plan` refuses; a fit of other options or data in `out`;
            another process that fits into `out`; a full disk.
    """
    init_default_scope('mmpretrain')
    out = osp.abspath(out)

    def busy(owner: str) -> None:
        raise UserError(f'{out}: {owner} is fitting into this folder; give another --out, or wait')

    with owner_lock(osp.join(out, 'fit.lock'), busy):
        for folder, _, _ in os.walk(out):
            for path in remove_stale_drafts(folder):
                tell(f'removed {path}, left by a run that was killed')
        try:
            return _fit(data, backbone, out, options)
        except OSError as error:
            if error.errno not in DISK_FULL:
                raise
            raise UserError(
                f'{out}: {error.strerror}; make room, then the same command goes on'
            ) from error


def add_to_fit(
    earlier: str,
    data: str | Sequence[str],
    out: str,
    folds: FoldOptions | None = None,
    reading: ReadOptions | None = None,
    **options: Any,
) -> str:
    """Fit on the images of an earlier fit and on new ones, which may have new classes.

    Network and scales are those of the earlier fit; features of its images are copied.

    Args:
        earlier: Folder of the earlier fit.
        data: New images, as of :func:`fit`.
        out: Another folder, for everything that is written.
        folds: Without a number of folds, that of the earlier fit.
        reading: How the new images are read; EXIF orientations as in the earlier fit.
        **options: seed of :func:`make_plan`.

    Returns:
        Path of the checkpoint, with thresholds.

    Raises:
        UserError: What :func:`read_earlier_fit`, :func:`grow` and :func:`fit` refuse.
    """
    init_default_scope('mmpretrain')
    base = read_earlier_fit(earlier)
    if osp.realpath(base.out) == osp.realpath(out):
        raise UserError(f'--out {out}: the fit that is gone on from; give another folder')
    folds = folds or FoldOptions(None)
    return fit(
        data,
        out=out,
        **base.options,
        scales=base.scales,
        folds=replace(folds, folds=base.folds if folds.folds is None else folds.folds),
        reading=replace(reading or ReadOptions(), upright=base.upright),
        earlier=base,
        **options,
    )


def _fit(data: str | Sequence[str], backbone: str, out: str, options: dict[str, Any]) -> str:
    """The steps of a fit, by the one process that writes into `out`."""
    steps = iter(range(1, 7))

    def say(text: str) -> None:
        tell(f'[{next(steps)}/6] {text}')

    say('reading the data')
    plan = make_plan(data, backbone, out, **options)
    path, folds, overlays = write_config(plan), plan.data.folds, 6 if plan.quick else 20
    say('features of all patches by the frozen network (computed once; resumable)')
    make_banks(path, plan)
    say('training the two layers' + (' on all images' if folds else ''))
    checkpoint = train(path)
    if folds:
        say(f'cross-validation: {folds.number * folds.repeats} heads, thresholds by their scores')
        cross_validate(path, overlays)
        thresholds, lines = choose_by_folds(path, checkpoint)
        held_out = read_held_out(path).scores[0]
        store_training_images(read_config(path), checkpoint, held_out)
    else:
        say('thresholds, chosen on val')
        thresholds, lines = choose_thresholds(out, checkpoint, plan.data.classes), []
        store_training_images(read_config(path), checkpoint, val=val_scores(out)[0])
    say('testing' if plan.tested else 'testing: no images are for test alone')
    results, page = osp.join(out, 'results.txt'), osp.join(out, 'report.html')
    if is_tested(out, checkpoint, plan.tested):
        tell(f'{results} is of this checkpoint: not tested again')
    else:
        if osp.isfile(page):
            os.remove(page)  # of another test
        if plan.tested:
            test(path, checkpoint, overlays)
            lines = [*result_lines(out, thresholds), *lines]
        if plan.earlier:
            lines = [*lines, '', *before_and_after(plan.earlier, out, plan.tested)]
        with atomic_write(results) as file:
            file.write('\n'.join(lines) + '\n')
        mark_tested(out, checkpoint)
    with open(results, encoding='utf-8') as file:
        print(file.read(), end='')
    say('report')
    run = osp.join(out, 'run')
    if osp.isfile(page):
        tell(f'{page} exists: not written again')
    else:
        write_report(run, page, images=2 if plan.quick else 4)
    maps = osp.join(run if plan.tested else osp.join(out, 'folds'), 'score_maps')
    print(
        f'checkpoint {checkpoint}\noverlays   {maps}\nreport     {page}\n'
        f'classify new images: tcnn predict IMAGE --checkpoint '
        f'{shlex.quote(checkpoint)} --out DIR'
    )
    return checkpoint
