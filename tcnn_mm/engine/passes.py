"""Passes over the data in a training that counts iterations: each pass is told its number."""

from collections.abc import Callable, Iterator
from typing import Any

from mmengine.dataset import InfiniteSampler
from mmengine.dist import get_world_size
from torch.utils.data import DataLoader

from tcnn_mm.datasets.dataset_wrappers import inner_datasets
from tcnn_mm.errors import UserError


class PassIterator:
    """Batches without end, in place of the iterator of mmengine's `IterBasedTrainLoop`.

    A pass is as many batches as the data loader has. Before its first batch is asked for, the
    number of the pass is told and given to the sampler, so a pass is a function of its number: a
    resumed run goes on exactly where it was.

    Args:
        loader: Of the training.
        tell: Called with the number of a pass, from 0 on.

    Raises:
        UserError: An `InfiniteSampler`, which mixes passes, with data that draw by the pass.
    """

    def __init__(self, loader: DataLoader, tell: Callable[[int], None]) -> None:
        self.loader, self.tell = loader, tell
        self.endless = isinstance(loader.sampler, InfiniteSampler)
        if self.endless and draws_by_epoch(loader.dataset):
            raise UserError(
                'train_dataloader: its data draw anew in each pass, and an InfiniteSampler mixes '
                'passes; use --cfg-options train_dataloader.sampler.type=DefaultSampler'
            )
        data: Any = loader.dataset
        size, batch = len(data), loader.batch_size or 1
        # Of an endless sampler: a batch belongs to the pass of its first sample.
        self.length = -(-size // (batch * get_world_size())) if self.endless else len(loader)
        self.count = 0
        self._batches: Iterator[Any] | None = None

    def __iter__(self) -> 'PassIterator':
        return self

    def __next__(self) -> Any:
        number, place = divmod(self.count, self.length)
        if self._batches is None or not place:
            self.tell(number)
            if self._batches is None or not self.endless:
                self._batches = self._start(number)
        self.count += 1
        return next(self._batches)

    def _start(self, number: int) -> Iterator[Any]:
        sampler = self.loader.sampler
        if hasattr(sampler, 'set_epoch'):
            sampler.set_epoch(number)
        return iter(self.loader)

    def skip_iter(self, iterations: int) -> None:
        """Go on after so many batches, when a training is resumed; at most one pass is read."""
        if self.endless:
            sampler: Any = self.loader.sampler
            if hasattr(sampler, 'skip'):
                sampler.skip(iterations * (self.loader.batch_size or 1))
                self.count = iterations
                return
            for _ in range(iterations):  # mmengine without `skip`
                next(self)
            return
        number, place = divmod(iterations, self.length)
        self.count = number * self.length
        for _ in range(place):
            next(self)


def draws_by_epoch(dataset: Any) -> bool:
    """Whether a data set, or a transform of it, draws by (seed, epoch) in the loader's workers."""
    return bool(epoch_parts(dataset))


def epoch_parts(dataset: Any) -> list[Any]:
    """Data sets and transforms inside a data set that are told (seed, epoch)."""
    return [
        part
        for each in inner_datasets(dataset)
        for part in (each, *getattr(getattr(each, 'pipeline', None), 'transforms', ()))
        if hasattr(part, 'set_epoch')
    ]
