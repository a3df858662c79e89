from .score_map import ScoreMapVisualizer
from .score_map_hook import ScoreMapHook

__all__ = ['ScoreMapHook', 'ScoreMapVisualizer']
