"""From patch scores to image scores (paper, sec. 5), always in float32."""

import torch

from tcnn_mm.errors import InvalidValueError
from tcnn_mm.registry import MODELS


@MODELS.register_module()
class PowerMeanAggregator:
    """score(C) = mean over patches of y(C)^k.

    Args:
        k (float): ≥ 1; a larger k gives the best patches more weight. Paper: 5, chosen on val.
            Defaults to 5.

    Shapes: (P, K) scores in [0, 1] → (K,) float32.
    """

    def __init__(self, k: float = 5) -> None:
        if k < 1:
            raise InvalidValueError(f'PowerMeanAggregator: k={k}; the paper asks for k ≥ 1')
        self.k = k

    def __call__(self, scores: torch.Tensor) -> torch.Tensor:
        return scores.float().pow(self.k).mean(0)


@MODELS.register_module()
class MeanAggregator(PowerMeanAggregator):
    """score(C) = mean over patches of y(C)."""

    def __init__(self) -> None:
        super().__init__(k=1)


@MODELS.register_module()
class MaxAggregator:
    """score(C) = the best patch's y(C)."""

    def __call__(self, scores: torch.Tensor) -> torch.Tensor:
        return scores.float().amax(0)


@MODELS.register_module()
class LogSumExpAggregator:
    """score(C) = 1/r · log mean exp(r · y(C)): between the mean (r → 0) and the max (r → ∞).

    Args:
        r (float): > 0. Defaults to 10.
    """

    def __init__(self, r: float = 10.0) -> None:
        if r <= 0:
            raise InvalidValueError(f'LogSumExpAggregator: r={r}; it must be > 0')
        self.r = r

    def __call__(self, scores: torch.Tensor) -> torch.Tensor:
        scores = scores.float() * self.r
        # As a tensor: an export keeps the number of patches free.
        count = scores.new_ones(scores.shape[0], dtype=torch.float64).sum()
        return (torch.logsumexp(scores, 0) - count.log()) / self.r
