"""What goes to the device of a batch: pixels and features, nothing else."""

from typing import Any

from mmengine.model import BaseDataPreprocessor


class ImageMover(BaseDataPreprocessor):
    """Moves the images (or features) of a batch to the device, without waiting for the copy.

    Samples stay where the patch sampler and the metrics read them: on a GPU each reading would
    wait for the network.
    """

    def __init__(self) -> None:
        super().__init__(non_blocking=True)

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        moved = {key: self.cast_data(data[key]) for key in ('inputs',) if key in data}
        return dict(data, **moved)
