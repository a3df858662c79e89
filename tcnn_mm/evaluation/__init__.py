from .patch_detection import PatchDetectionMetric
from .point_localization import PointLocalization
from .submission import VOCSubmission
from .voc_action_ap import VOCActionAP
from .voc_ap import VOCDevkitAP

__all__ = [
    'PatchDetectionMetric',
    'PointLocalization',
    'VOCActionAP',
    'VOCDevkitAP',
    'VOCSubmission',
]
