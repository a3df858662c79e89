"""Labels and probabilities of an image from its scores."""

from collections.abc import Mapping
from dataclasses import dataclass

from tcnn_mm.evaluation.calibration import Calibration, probability_or_none

# Of models whose scores are independent probabilities, where no thresholds were chosen.
PROBABILITY = 0.5


@dataclass(frozen=True)
class LabelRule:
    """Thresholds where they were chosen, else 0.5 (independent scores) or the best class.

    Attributes:
        independent (bool): Scores are sigmoids per class, as in weak training.
        thresholds (dict, optional): Class → image score from which on it is a label; None for a
            class that had no positive to choose it by.
        chosen_on (str, optional): The images that chose the thresholds, in words.
        calibration (dict, optional): Class → :class:`Calibration`, or None for a class without;
            chosen on the same images.
    """

    independent: bool
    thresholds: Mapping[str, float | None] | None = None
    chosen_on: str | None = None
    calibration: Mapping[str, Calibration | None] | None = None

    def __str__(self) -> str:
        if self.thresholds:
            return f'scores at or above thresholds chosen on {self.chosen_on or "a validation set"}'
        if self.independent:
            return f'no thresholds were chosen: probabilities at or above {PROBABILITY}'
        return 'no thresholds were chosen: the class of the highest score alone'

    def labels(self, scores: Mapping[str, float]) -> list[str]:
        """Names of the classes by this rule, highest score first."""
        ranked = sorted(scores, key=lambda name: scores[name], reverse=True)
        if self.thresholds:
            known = {name: t for name, t in self.thresholds.items() if t is not None}
            return [name for name in ranked if name in known and scores[name] >= known[name]]
        if self.independent:
            return [name for name in ranked if scores[name] >= PROBABILITY]
        return ranked[:1]

    def probabilities(self, scores: Mapping[str, float]) -> dict[str, float | None] | None:
        """Calibrated probability of each class, None for one without; None without calibration."""
        if not self.calibration:
            return None
        return {
            name: probability_or_none(score, self.calibration.get(name))
            for name, score in scores.items()
        }
