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
from .source_head import DropoutLinearClsHead
from .torchvision_backbone import TorchvisionBackbone
from .weak_classifier import WeakPatchClassifier

__all__ = [
    'AdaptationHead',
    'ContextHead',
    'DropoutLinearClsHead',
    'LogSumExpAggregator',
    'MaxAggregator',
    'MeanAggregator',
    'PatchClassifier',
    'PowerMeanAggregator',
    'TorchvisionBackbone',
    'TransferAlexNet',
    'WeakPatchClassifier',
]
