from .submission import VOCSubmission
from .voc_action_ap import VOCActionAP
from .voc_ap import VOCDevkitAP

__all__ = ['VOCActionAP', 'VOCDevkitAP', 'VOCSubmission']
