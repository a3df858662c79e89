"""The devkit's average precision of action classification (`VOCevalaction.m`)."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from tcnn_mm.datasets.voc_action import OTHER
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.ap_report import ap_report
from tcnn_mm.evaluation.voc_ap import VOCDevkitAP
from tcnn_mm.registry import METRICS


@METRICS.register_module()
class VOCActionAP(VOCDevkitAP):
    """Average precision of each action over persons; an item is a person (see `VOCAction`).

    As in the devkit, a person is identified by image id and object number. A person with the action
    is positive, also with other actions beside it, and every other person is negative. The class
    `other` is not scored. AP is the area under the curve, as in VOC2012.

    Args:
        subset, prefix, **kwargs: As for :class:`VOCDevkitAP`. The keys start with `voc_action`.

    `report` counts `persons` beside `images`.
    """

    def __init__(
        self,
        subset: str | Sequence[str] | None = None,
        prefix: str = 'voc_action',
        **kwargs: Any,
    ) -> None:
        super().__init__('voc10', subset, prefix, **kwargs)

    def scored_classes(self) -> list[str]:
        """Return the names of the actions that have an AP."""
        return [name for name in super().scored_classes() if name != OTHER]

    def sample_key(self, sample: dict[str, Any]) -> tuple[str, ...]:
        """Return (image id, object number)."""
        key = super().sample_key(sample)
        if len(key) != 2:
            raise UserError(
                f'VOCActionAP: {key[0]} has no object_index, so it is an image, not a person; '
                "take dict(type='tcnn_mm.VOCAction', view='person')"
            )
        return key

    def make_report(
        self,
        keys: list[tuple[str, ...]],
        classes: list[str],
        scores: np.ndarray,
        labels: np.ndarray,
    ) -> dict[str, Any]:
        """Return the entry of voc_ap.json, with the number of persons."""
        twice = [key for key, count in Counter(keys).items() if count > 1]
        if twice:
            raise UserError(f'VOCActionAP: duplicate person {"/".join(twice[0])}')
        report = ap_report('voc_action', classes, scores, labels, self.mode, self.subset)
        return dict(report, images=len({key[0] for key in keys}), persons=len(keys))
