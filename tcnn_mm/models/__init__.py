from .aggregators import (
    LogSumExpAggregator,
    MaxAggregator,
    MeanAggregator,
    PowerMeanAggregator,
)
from .backbones.alexnet import TransferAlexNet
from .backbones.timm_backbone import TimmBackbone
from .backbones.torchvision_backbone import TorchvisionBackbone
from .heads.adaptation_head import AdaptationHead
from .heads.context_head import ContextHead
from .heads.source_head import DropoutLinearClsHead
from .patch_classifier import PatchClassifier
from .weak_patch_classifier import WeakPatchClassifier

__all__ = [
    'AdaptationHead',
    'ContextHead',
    'DropoutLinearClsHead',
    'LogSumExpAggregator',
    'MaxAggregator',
    'MeanAggregator',
    'PatchClassifier',
    'PowerMeanAggregator',
    'TimmBackbone',
    'TorchvisionBackbone',
    'TransferAlexNet',
    'WeakPatchClassifier',
]
