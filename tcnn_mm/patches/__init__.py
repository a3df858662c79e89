from .grid import PatchGrid
from .labeler import PatchLabeler
from .object_square import ObjectSquareSampler
from .sampler import Key, Patches, PatchSampler, keyed_generator

__all__ = [
    'Key',
    'ObjectSquareSampler',
    'PatchGrid',
    'PatchLabeler',
    'PatchSampler',
    'Patches',
    'keyed_generator',
]
