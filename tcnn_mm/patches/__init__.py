from .grid import PatchGrid
from .labeler import PatchLabeler
from .object_square import ObjectSquareSampler
from .sampler import Key, Patches, PatchSampler, keyed_generator
from .scale_sampler import ScaleSampler

__all__ = [
    'Key',
    'ObjectSquareSampler',
    'PatchGrid',
    'PatchLabeler',
    'PatchSampler',
    'Patches',
    'ScaleSampler',
    'keyed_generator',
]
