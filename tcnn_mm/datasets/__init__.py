from .class_folders import ClassFolders
from .coco_objects import COCOObjects
from .collate import pseudo_collate
from .feature_bank import FeatureBank
from .image_list import ImageList
from .image_records import ImageRecords
from .labeled_patch import RandomLabeledPatch
from .mini_voc.dataset import MiniVOC
from .transforms import LoadVOCObjects, PackPatchInputs
from .voc import VOCObjects
from .voc_action import VOCAction

__all__ = [
    'COCOObjects',
    'ClassFolders',
    'FeatureBank',
    'ImageList',
    'ImageRecords',
    'LoadVOCObjects',
    'MiniVOC',
    'PackPatchInputs',
    'RandomLabeledPatch',
    'VOCAction',
    'VOCObjects',
    'pseudo_collate',
]
