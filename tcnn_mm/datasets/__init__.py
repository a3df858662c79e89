from .feature_bank import FeatureBank
from .labeled_patch import RandomLabeledPatch
from .transforms import LoadVOCObjects, PackPatchInputs
from .voc import VOCObjects

__all__ = ['FeatureBank', 'LoadVOCObjects', 'PackPatchInputs', 'RandomLabeledPatch', 'VOCObjects']
