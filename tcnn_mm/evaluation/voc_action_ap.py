"""The devkit's average precision of action classification (`VOCevalaction.m`)."""

from collections import Counter

from tcnn_mm.datasets.voc_action import OTHER
from tcnn_mm.errors import UserError
from tcnn_mm.evaluation.voc_ap import VOCDevkitAP, ap_report
from tcnn_mm.registry import METRICS


@METRICS.register_module()
class VOCActionAP(VOCDevkitAP):
    """Average precision of each action over persons; an item is a person (see `VOCAction`).

    As in the devkit, a person is known by image id and object number, each once; who does the
    action is positive, also beside other actions, everybody else is negative; `other` is not
    scored. The area under the curve, as in VOC2012.

    Args:
        subset, prefix, **kwargs: As for :class:`VOCDevkitAP`. The keys start with `voc_action`.

    `report` counts `persons` beside `images`.
    """

    def __init__(self, subset=None, prefix='voc_action', **kwargs):
        super().__init__('voc10', subset, prefix, **kwargs)

    def scored_classes(self):
        return [name for name in super().scored_classes() if name != OTHER]

    def sample_key(self, sample):
        key = super().sample_key(sample)
        if len(key) != 2:
            raise UserError(
                f'VOCActionAP: {key[0]} has no object_index, so it is a picture, not a person; '
                "take dict(type='tcnn_mm.VOCAction', view='person')"
            )
        return key

    def make_report(self, keys, classes, scores, labels):
        twice = [key for key, count in Counter(keys).items() if count > 1]
        if twice:
            raise UserError(f'VOCActionAP: person {"/".join(twice[0])} comes twice')
        report = ap_report('voc_action', classes, scores, labels, self.mode, self.subset)
        return dict(report, images=len({key[0] for key in keys}), persons=len(keys))
