"""Progress with the time left: bars of the tools, and of a test's patches."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from mmengine.dist import get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from tqdm import tqdm

from tcnn_mm.engine.unwrap_model import unwrap_model
from tcnn_mm.registry import HOOKS

_HIDDEN = ContextVar('hidden progress bars', default=False)


@contextlib.contextmanager
def hidden_bars() -> Iterator[None]:
    """Show no progress bar that is made inside."""
    token = _HIDDEN.set(True)
    try:
        yield
    finally:
        _HIDDEN.reset(token)


def progress_bar(total: int | None, unit: str, delay: float = 0, what: str | None = None) -> tqdm:
    """Progress bar of the main process; every 30 s one line where stderr is no terminal.

    Args:
        total: Number of items.
        unit: Their name.
        delay: Seconds before the bar is shown.
        what: Said before the bar: what is done.
    """
    return tqdm(
        desc=what,
        total=total,
        unit=unit,
        disable=_HIDDEN.get() or not is_main_process(),
        delay=delay,
        mininterval=0.2 if sys.stderr.isatty() else 30,
        dynamic_ncols=sys.stderr.isatty(),
    )


@contextlib.contextmanager
def progress_steps(
    total: int, unit: str = 'image', what: str | None = None
) -> Iterator[Callable[[], object]]:
    """Give a function to call after each item; after two seconds a bar shows how many are done.

    Args:
        total: Number of items.
        unit: Their name.
        what: Said before the bar: what is done.
    """
    with progress_bar(total, unit, delay=2, what=what) as bar:
        yield bar.update


@HOOKS.register_module()
class PatchProgressHook(Hook):
    """Shows patches done, patches per second and the time left, at each chunk of a test.

    One iteration of a test is some thousand passes of the network, so mmengine's count of
    iterations tells little. The number of all patches is projected from the images seen so far.
    """

    _bar: tqdm | None = None

    def _before_epoch(self, runner: Runner, mode: str = 'train') -> None:
        model = unwrap_model(runner)
        if mode == 'train' or not hasattr(model, 'set_test_options'):
            return
        dataset = getattr(runner, f'{mode}_dataloader').dataset
        self._images = -(-len(dataset) // get_world_size())
        self._seen = self._patches = 0
        self._bar = progress_bar(None, 'patch')
        model.set_test_options(on_patches=self._advance)

    def _before_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, mode: str = 'train'
    ) -> None:
        if self._bar is not None:
            self._batch = len(data_batch['data_samples'])

    def _advance(self, done: int, planned: int) -> None:
        """`done` patches of the batch's `planned` have gone through the network."""
        if self._bar is None:
            return
        each = (self._patches + planned) / (self._seen + self._batch)
        self._bar.total = max(round(each * self._images), self._bar.n + done)
        self._bar.update(done)

    def _after_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Any = None,
        mode: str = 'train',
    ) -> None:
        if self._bar is not None:
            self._seen, self._patches = self._seen + self._batch, self._bar.n

    def _after_epoch(self, runner: Runner, mode: str = 'train') -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
            unwrap_model(runner).set_test_options(on_patches=None)
