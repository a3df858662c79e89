from .hooks import ScoreMapHook
from .score_map import ScoreMapVisualizer

__all__ = ['ScoreMapHook', 'ScoreMapVisualizer']
