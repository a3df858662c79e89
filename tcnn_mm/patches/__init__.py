from .grid import PatchGrid
from .labeler import PatchLabeler
from .object_square import ObjectSquareSampler
from .sampler import Patches, PatchSampler, RandomKey, keyed_generator
from .scale_sampler import ScaleSampler

__all__ = [
    'RandomKey',
    'ObjectSquareSampler',
    'PatchGrid',
    'PatchLabeler',
    'PatchSampler',
    'Patches',
    'ScaleSampler',
    'keyed_generator',
]
