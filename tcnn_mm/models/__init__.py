from .adaptation_head import AdaptationHead
from .aggregation import (
    LogSumExpAggregator,
    MaxAggregator,
    MeanAggregator,
    PowerMeanAggregator,
)
from .alexnet import TransferAlexNet
from .context_head import ContextHead
from .patch_classifier import PatchClassifier
from .torchvision_backbone import TorchvisionBackbone

__all__ = [
    'AdaptationHead',
    'ContextHead',
    'LogSumExpAggregator',
    'MaxAggregator',
    'MeanAggregator',
    'PatchClassifier',
    'PowerMeanAggregator',
    'TorchvisionBackbone',
    'TransferAlexNet',
]
