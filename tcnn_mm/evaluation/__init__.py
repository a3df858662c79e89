from .patch_detection import PatchDetectionMetric
from .point_localization import PointLocalization
from .voc_ap import VOCDevkitAP

__all__ = ['PatchDetectionMetric', 'PointLocalization', 'VOCDevkitAP']
