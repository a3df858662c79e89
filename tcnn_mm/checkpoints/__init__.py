"""Checkpoint files: safe loading, metadata, pretrained weights, atomic writes."""
