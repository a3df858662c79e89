from .class_folders import ClassFolders
from .feature_bank import FeatureBank
from .labeled_patch import RandomLabeledPatch
from .mini_voc import MiniVOC
from .transforms import LoadVOCObjects, PackPatchInputs
from .voc import VOCObjects
from .voc_action import VOCAction

__all__ = [
    'ClassFolders',
    'FeatureBank',
    'LoadVOCObjects',
    'MiniVOC',
    'PackPatchInputs',
    'RandomLabeledPatch',
    'VOCAction',
    'VOCObjects',
]
