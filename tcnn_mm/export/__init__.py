"""Trained models as ONNX and `torch.export` programs."""
