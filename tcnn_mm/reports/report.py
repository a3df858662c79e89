"""Write a run as one page to send: results, curves, images, config, environment."""

import os
import os.path as osp

from mmengine.registry import init_default_scope

from tcnn_mm.checkpoints.atomic_write import atomic_write, remove_stale_drafts
from tcnn_mm.checkpoints.checkpoint_path import check_checkpoint_path
from tcnn_mm.errors import UserError
from tcnn_mm.reports.collect import collect_report
from tcnn_mm.reports.render import render_page
from tcnn_mm.reports.run_artifacts import read_run_artifacts


def write_report(
    work_dir: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    images: int = 8,
    checkpoint: str | None = None,
    trust: bool = False,
) -> str:
    """Write the contents of a work directory as one HTML page without scripts or links.

    Per class: AP, precision over recall, best and worst images with their localization maps, best
    patches; of the run: training curves, config, environment, command. In the place of what is
    missing (images, checkpoint, logs) the page says so.

    Args:
        work_dir: Of `tcnn train` and `tcnn test`.
        out: The page. Defaults to report.html in the work directory.
        images: Example images per class; each passes the network once, unless the test read a
            feature bank. 0: none.
        checkpoint: Defaults to the one that was tested, else the newest.
        trust: See :func:`load_safely`.

    Returns:
        Path of the page.

    Raises:
        UserError: The folder holds no run; `checkpoint` is no file; the page cannot be written.
    """
    run = read_run_artifacts(work_dir)
    if checkpoint:
        check_checkpoint_path(checkpoint)
        run = run._replace(checkpoint=checkpoint, tested=False)
    out = osp.abspath(out or osp.join(run.path, 'report.html'))
    if osp.isdir(osp.dirname(out)) and not os.access(osp.dirname(out), os.W_OK):
        raise UserError(f'{out}: its folder cannot be written; give another path with --out')
    init_default_scope(run.config.get('default_scope', 'mmengine'))
    page = render_page(collect_report(run, images, trust))
    remove_stale_drafts(osp.dirname(out))
    with atomic_write(out, errors='backslashreplace') as file:
        file.write(page)
    return out
