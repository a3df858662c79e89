"""Transfer of pretrained CNN representations through labelled patches, for OpenMMLab.

After Oquab, Bottou, Laptev, Sivic, "Learning and Transferring Mid-Level Image Representations
using Convolutional Neural Networks", CVPR 2014.
"""

import importlib

from tcnn_mm.compat import register_config_package

__version__ = '0.1.0'

# Anybody's config can inherit `tcnn_mm::…` once `tcnn_mm` is imported.
register_config_package('tcnn_mm')


# Imported on first use: `import tcnn_mm` alone imports neither torch nor the toolbox's models.
_PUBLIC = {
    'PatchVotingClassifier': 'tcnn_mm.estimator.patch_voting_classifier',
    'TCNNInferencer': 'tcnn_mm.inference.inferencer',
    'load': 'tcnn_mm.estimator.load',
}


def __getattr__(name: str) -> object:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
