"""The images behind a data set: those that the features of a bank come from."""

from collections.abc import Mapping
from typing import Any, Protocol

from tcnn_mm.datasets.dataset_wrappers import replace_inner
from tcnn_mm.datasets.feature_bank import FeatureBank
from tcnn_mm.registry import DATASETS


class SizedDataset(Protocol):
    """A data set whose items are dicts with `inputs` and `data_samples`."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> dict[str, Any]: ...


def image_config(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config of the images behind a data set's config.

    Of a bank it is `source`, with the bank's `ids`, also inside a data set of data sets; any other
    config is returned as a dict.
    """
    return replace_inner(dataset, _image_source)


def _image_source(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """The same of one data set."""
    config = dict(dataset)
    if 'source' not in config:
        return config
    ids = config.get('ids')
    return dict(config['source'], ids=ids) if ids else dict(config['source'])


def image_dataset(dataset: SizedDataset) -> SizedDataset:
    """Return the data set of the images behind a bank; any other data set is returned itself."""
    if not isinstance(dataset, FeatureBank):
        return dataset
    return DATASETS.build(image_config(dict(source=dataset.source, ids=dataset.ids)))
