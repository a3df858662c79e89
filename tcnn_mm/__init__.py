"""Transfer of pretrained CNN representations through labelled patches, for OpenMMLab.

After Oquab, Bottou, Laptev, Sivic, "Learning and Transferring Mid-Level Image Representations
using Convolutional Neural Networks", CVPR 2014.
"""

import importlib

from mmengine.config.utils import MODULE2PACKAGE

__version__ = '0.1.0'

# mmengine resolves `_base_ = 'package::file'` for a closed list of packages only; with this line
# anybody's config can inherit `tcnn_mm::_base_/...` once `tcnn_mm` is imported. The name is a
# module's, not the distribution's: OpenMMLab's own mmengine looks for a distribution's files beside
# its metadata, where an editable install has none; a module is found by its file.
MODULE2PACKAGE.setdefault('tcnn_mm', 'tcnn_mm.registry')


# Imported on first use: `import tcnn_mm` alone imports neither torch nor the toolbox's models.
_PUBLIC = {'TCNNInferencer': 'tcnn_mm.inference.inferencer'}


def __getattr__(name: str) -> object:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
