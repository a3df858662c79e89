from .labeled_patch import RandomLabeledPatch
from .transforms import LoadVOCObjects, PackPatchInputs
from .voc import VOCObjects

__all__ = ['LoadVOCObjects', 'PackPatchInputs', 'RandomLabeledPatch', 'VOCObjects']
