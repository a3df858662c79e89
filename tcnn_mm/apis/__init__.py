from .inferencer import TCNNInferencer

__all__ = ['TCNNInferencer']
