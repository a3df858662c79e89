from .voc_ap import VOCDevkitAP

__all__ = ['VOCDevkitAP']
