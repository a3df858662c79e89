"""Convert tensors of Caffe: shapes, channel order, the constant of the normalisation."""

from collections.abc import Mapping, Sequence

import torch


def fit_shape(value: torch.Tensor, shape: Sequence[int]) -> torch.Tensor:
    """A tensor in the form that a layer of ours takes, where only the form differs.

    Old Caffe files pad every shape to four dims: biases (1, 1, 1, O), FC weights (1, 1, O, I). FC
    layers written as convolutions are (O, C, k, k): rows are flattened as C, k, k, Caffe's and
    torch's order alike.

    Args:
        value: From the file.
        shape: Ours.

    Returns:
        A tensor of that shape, or `value` as it is.
    """
    shape = tuple(shape)
    padded = value.dim() == 4 and tuple(value.shape) == (1,) * (4 - len(shape)) + shape
    flat = len(shape) == 2 and value.dim() == 4 and tuple(value.flatten(1).shape) == shape
    return value.reshape(shape) if padded or flat else value


def turn_channels(weight: torch.Tensor) -> torch.Tensor:
    """The first layer's weight (O, 3, k, k) for pixels in the other order: BGR ↔ RGB."""
    return weight.flip(1)


def fold_normalisation(
    state: Mapping[str, torch.Tensor], k: float, own_k: float = 2.0, beta: float = 0.75
) -> dict[str, torch.Tensor]:
    """Weights of a net whose response normalisation has another constant, for ours.

    b = a / (k + α Σ a²)^β. Caffe's files have k = 1, Krizhevsky's paper and `TransferAlexNet` 2.
    With t = sqrt(own_k / k): the normalisation with own_k of t·a is t^(1-2β) times the one with
    k of a. So C1 and C2 are scaled by t, and C2's and C3's weights take the factor back; ReLU
    and pooling pass factors on, so the outputs of C3 are those of the file's net.

    Args:
        state: Names as in `TransferAlexNet`.
        k: The file's.

    Returns:
        A new state dict.
    """
    t = (own_k / k) ** 0.5
    back = t ** (2 * beta - 1)
    factors = {
        'features.0.weight': t,
        'features.0.bias': t,
        'features.3.weight': t * back,
        'features.3.bias': t,
        'features.6.weight': back,
    }
    return {key: value * factors.get(key, 1.0) for key, value in state.items()}
