"""What runs in a process that trains heads; light to import, so that it is quiet from the start."""

import os
import sys


def begin_process(log: str, threads: int, trust: bool) -> None:
    """Prepare the process: its output goes to a file, its threads are few, it ends with its parent.

    Args:
        log: File that everything which is printed is added to.
        threads: Of torch.
        trust: See :func:`load_safely`.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    for output in (1, 2):
        os.dup2(file, output)
    from tcnn_mm.compat import ignore_import_warnings

    ignore_import_warnings()
    import torch

    from tcnn_mm.checkpoints.loading import trust_from_now_on
    from tcnn_mm.engine.end_with_launcher import end_with_parent

    torch.set_num_threads(threads)
    end_with_parent()
    trust_from_now_on(trust)


def train_in_process(path: str, repeat: int, fold: int) -> None:
    """Train one head."""
    from tcnn_mm.estimator.fold_training import FoldTask, train_fold

    train_fold(path, FoldTask(repeat, fold))
