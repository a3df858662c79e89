from .atomic_checkpoint import AtomicCheckpointHook
from .check_finite import CheckFiniteHook
from .checkpoint_meta import CheckpointMetaHook
from .epoch_seed import EpochSeedHook
from .patch_report import PatchReportHook
from .patch_scores import PatchScoresHook
from .plateau_stages import PlateauStages
from .progress import PatchProgressHook
from .strict_checkpoint import StrictCheckpointHook
from .trainable_params import TrainableParams
from .voc_results import VOCResultsHook

__all__ = [
    'AtomicCheckpointHook',
    'CheckFiniteHook',
    'CheckpointMetaHook',
    'EpochSeedHook',
    'PatchProgressHook',
    'PatchReportHook',
    'PatchScoresHook',
    'PlateauStages',
    'StrictCheckpointHook',
    'TrainableParams',
    'VOCResultsHook',
]
