from .adaptation_head import AdaptationHead
from .aggregation import (
    LogSumExpAggregator,
    MaxAggregator,
    MeanAggregator,
    PowerMeanAggregator,
)
from .alexnet import TransferAlexNet
from .patch_classifier import PatchClassifier
from .torchvision_backbone import TorchvisionBackbone

__all__ = [
    'AdaptationHead',
    'LogSumExpAggregator',
    'MaxAggregator',
    'MeanAggregator',
    'PatchClassifier',
    'PowerMeanAggregator',
    'TorchvisionBackbone',
    'TransferAlexNet',
]
