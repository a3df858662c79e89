"""Choose how patches vote: k of the power mean, the mean, the max or log-sum-exp."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.registry import MODELS as ROOT_MODELS

from tcnn_mm.analysis.prediction_cache import cached_patch_scores
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.metric_settings import metric_settings
from tcnn_mm.evaluation.vote_sweep import best_of, candidates, sweep
from tcnn_mm.registry import DATASETS


@dataclass
class KSweep:
    """The mean AP of each aggregator on the validation set.

    Attributes:
        mode (str): 'voc07' or 'voc10'.
        classes (list[str]): K names.
        subset (list[str]): Classes of the mean.
        images (int): Of the validation set.
        configs (dict): Aggregator → its config.
        rows (dict): Aggregator → (mean AP, APs (K,)), fractions.
        chosen (str): The best one.
    """

    mode: str
    classes: list[str]
    subset: list[str]
    images: int
    configs: dict[str, dict[str, Any]]
    rows: dict[str, tuple[float, np.ndarray]]
    chosen: str

    @property
    def label(self) -> str:
        """What the figures are, in words."""
        names = self.subset if len(self.subset) < 7 else [f'{len(self.subset)} classes']
        return f'{self.mode} AP %, mean of {", ".join(names)}'

    def record(self) -> dict[str, Any]:
        """The sweep in JSON's types."""
        return dict(
            mode=self.mode,
            subset=self.subset,
            images=self.images,
            rows={
                name: dict(
                    aggregator=self.configs[name],
                    mAP=mean,
                    classes={
                        c: None if np.isnan(ap) else ap
                        for c, ap in zip(self.classes, aps.tolist(), strict=True)
                    },
                )
                for name, (mean, aps) in self.rows.items()
            },
            chosen=self.chosen,
        )


def sweep_k(
    cfg: Config,
    dataset: dict[str, Any],
    checkpoint: str,
    rs: Sequence[float] = (1, 2, 5, 10, 20, 50),
    mode: str | None = None,
    subset: Sequence[str] | None = None,
    trust: bool = False,
) -> KSweep:
    """Compare aggregators on the validation set; its patch scores are cached in the work dir.

    Args:
        cfg: The experiment.
        dataset: Config of the validation set.
        checkpoint: Trained without these images.
        rs: Of log-sum-exp.
        mode: 'voc07' or 'voc10'. Defaults to that of the config's metric.
        subset: Classes of the mean. Defaults to those of the config's metric.
        trust: See `load_safely`.

    Raises:
        UserError: An unknown class, or no image of the classes of the mean.
    """
    settings = metric_settings(cfg)
    mode = mode or settings.get('mode', 'voc07')
    seen = cached_patch_scores(cfg, dataset, checkpoint, 'choose', trust)
    classes = list(DATASETS.build(dataset).metainfo['classes'])
    wanted = list(subset or settings.get('subset') or classes)
    unknown = sorted(set(wanted) - set(classes))
    if unknown:
        raise UserError(f'--subset {unknown[0]}: the data set has {", ".join(classes)}')
    configs = candidates(rs=rs)
    ways = {name: ROOT_MODELS.build(config) for name, config in configs.items()}
    columns = [classes.index(name) for name in wanted]
    rows = sweep(seen['scores'], seen['sizes'], seen['labels'], ways, mode, columns)
    if all(np.isnan(mean) for mean, _ in rows.values()):
        raise UserError(f'no image of the validation set has one of {", ".join(wanted)}')
    return KSweep(mode, classes, wanted, len(seen['ids']), configs, rows, best_of(rows))


def chosen_on_test(
    cfg: Config, result: KSweep, checkpoint: str, trust: bool = False
) -> tuple[float, int]:
    """Mean AP of the chosen aggregator on the config's test data, and its number of images."""
    seen = cached_patch_scores(
        cfg, cfg.test_dataloader.dataset.to_dict(), checkpoint, 'test', trust
    )
    way = {result.chosen: ROOT_MODELS.build(result.configs[result.chosen])}
    columns = [result.classes.index(name) for name in result.subset]
    rows = sweep(seen['scores'], seen['sizes'], seen['labels'], way, result.mode, columns)
    return rows[result.chosen][0], len(seen['ids'])
