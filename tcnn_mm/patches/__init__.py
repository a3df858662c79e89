from .grid import PatchGrid
from .labeler import PatchLabeler
from .sampler import Key, Patches, PatchSampler, keyed_generator

__all__ = ['Key', 'PatchGrid', 'PatchLabeler', 'PatchSampler', 'Patches', 'keyed_generator']
