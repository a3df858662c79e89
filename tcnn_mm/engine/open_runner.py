"""A Runner that leaves nothing open behind it."""

from collections.abc import Iterator
from contextlib import contextmanager

from mmengine.config import Config
from mmengine.runner import Runner

from tcnn_mm.compat import forget_run, stop_workers


@contextmanager
def open_runner(cfg: Config) -> Iterator[Runner]:
    """Build the Runner of a config; at the end of the block, end what it opened.

    mmengine keeps for ever, per Runner, an open log file, persistent workers of data loaders, and
    named instances (logger, message hub with all its scalars, visualizer) in global tables.

    Args:
        cfg: The experiment.

    Yields:
        Runner: To be used inside the block.
    """
    runner = Runner.from_cfg(cfg)
    try:
        yield runner
    finally:
        stop_workers(runner)
        forget_run(runner)
