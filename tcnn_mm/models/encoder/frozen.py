"""Frozen layers as they run: BatchNorm folded, cast once, fused, optionally compiled."""

import copy
import functools
import logging
from collections.abc import Iterator
from typing import Any

import torch
from mmengine.logging import print_log
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from tcnn_mm.models.encoder.folding import fold_norms
from tcnn_mm.models.encoder.fused_layers import can_fuse, fuse_layers
from tcnn_mm.models.encoder.hardware import is_native
from tcnn_mm.models.encoder.tiles import token_map

# Folding reorders float32 sums; a norm that does not belong to its neighbour is far off.
_FOLD_TOLERANCE = 1e-3
# Fused layers round to bfloat16 less often or in another place: their distance from float32 is
# that of the layers one by one, within a quarter.
_FUSE_TOLERANCE = 1.25


def run_layers(backbone: Any, x: torch.Tensor, names: list[str]) -> torch.Tensor:
    """Run the named layers; a backbone that declares none is one layer, 'backbone'.

    The tokens (B, N, C) of such a backbone are a map (B, C, h, w), see `tiles.token_map`.
    """
    if not names:
        return x
    if names != ['backbone']:
        return backbone.run_layers(x, names)
    out = backbone(x)[-1]
    return token_map(out, *x.shape[-2:]) if out.dim() == 3 else out


def layer_modules(backbone: Any, names: list[str]) -> list[nn.Module]:
    """The modules of the named layers."""
    if names == ['backbone']:
        return [backbone]
    layers = backbone.layers() if names else {}
    return [module for name in names for _, module in layers[name]]


@functools.cache  # once a process
def _warn_emulated(dtype: torch.dtype) -> None:
    name = str(dtype).removeprefix('torch.')
    print_log(
        f'this processor has no instructions for {name}: it will not be faster here, and the '
        'frozen layers run in float32 instead',
        'current',
        logging.WARNING,
    )


class FrozenCopy:
    """Runs the frozen layers of a backbone on a folded, cast and fused copy, made on first use.

    Autocast would cast the weights anew at every chunk (it remembers only those that train), and
    BatchNorm in eval mode is an affine map that belongs into its convolution. The original keeps
    its float32 weights, which is what checkpoints hold; when they change, the copy is made anew.

    Args:
        backbone (nn.Module): The original.
        names (list[str]): Its frozen layers (see `freezing.split_layers`).
        dtype (torch.dtype, optional): Of the copy, on devices that compute in it; float32 on a
            processor that would emulate it (MobileNetV2's bfloat16 is 19 times slower with AVX2
            alone). Defaults to float32.
        compiled (bool): Run through `torch.compile`. Defaults to False.
        size (int): Side of the patch on which the folding is checked. Defaults to 224.
    """

    def __init__(
        self,
        backbone: nn.Module,
        names: list[str],
        dtype: torch.dtype | None = None,
        compiled: bool = False,
        size: int = 224,
    ) -> None:
        self.backbone, self.names = backbone, names
        # With nothing frozen, what passes here are the pixels.
        self.dtype, self.size = (dtype if names else None) or torch.float32, size
        modules = [m for part in layer_modules(backbone, names) for m in part.modules()]
        self._folds = any(isinstance(m, _BatchNorm) for m in modules)
        self._stamp: list[tuple[int, int]] | None = None
        self._copy: nn.Module | None = None
        self._compiled = compiled
        self._run = torch.compile(run_layers) if compiled else run_layers

    def __call__(self, x: torch.Tensor, names: list[str]) -> torch.Tensor:
        """Layers `names` of the frozen ones on (B, …), without a graph; in the copy's dtype."""
        with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
            return self._run(self.current(), x.to(self.dtype_on(x.device.type)), names)

    def dtype_on(self, device_type: str) -> torch.dtype:
        """The dtype that the layers run in there; says once where it is not the one asked for."""
        if is_native(self.dtype, device_type):
            return self.dtype
        _warn_emulated(self.dtype)
        return torch.float32

    def __getstate__(self) -> dict[str, Any]:
        """Without the copy, which is made again: oneDNN's order of weights cannot be copied."""
        return self.__dict__ | {'_copy': None, '_stamp': None}

    def _tensors(self) -> Iterator[torch.Tensor]:
        for module in layer_modules(self.backbone, self.names):
            yield from module.parameters()
            yield from module.buffers()

    def current(self) -> nn.Module:
        """The original where a copy would be the same, else a copy of its present weights."""
        device = next((tensor.device.type for tensor in self._tensors()), 'cpu')
        dtype = self.dtype_on(device)
        if dtype == torch.float32 and not self._folds:
            return self.backbone
        # Changes in place (load_state_dict's, an optimizer's) raise a tensor's version.
        stamp = [(tensor.data_ptr(), tensor._version) for tensor in self._tensors()]
        if stamp != self._stamp:
            self._copy, self._stamp = self._make(dtype), stamp
        assert self._copy is not None
        return self._copy

    @torch.no_grad()
    def _make(self, dtype: torch.dtype) -> nn.Module:
        # What trains is shared, not copied: the copy's frozen layers alone are used.
        frozen = {id(tensor) for tensor in self._tensors()}
        shared = {id(p): p for p in self.backbone.parameters() if id(p) not in frozen}
        made = copy.deepcopy(self.backbone, dict(shared))
        made.eval()  # a statement: mmpretrain's backbones return nothing from it
        if self._folds:
            folded = copy.deepcopy(made, dict(shared))
            folded.eval()  # torchvision's feature extractors are copied in training mode
            noise = self._noise()
            before = run_layers(made, noise, self.names)
            fold_norms(
                folded,
                layer_modules(folded, self.names),
                lambda: run_layers(folded, noise, self.names),
            )
            after = run_layers(folded, noise, self.names)
            made = folded if self._agree(before, after) else made
        fusible = self._fusible(dtype)
        exact = run_layers(made, self._noise(), self.names) if fusible else None
        for part in layer_modules(made, self.names):
            part.requires_grad_(False)
            part.to(dtype)
            for module in part.modules():
                if isinstance(module, _BatchNorm):  # not folded: its statistics stay float32
                    module.float()
        return made if exact is None else self._fused(made, exact, shared)

    def _fusible(self, dtype: torch.dtype) -> bool:
        """Whether layers are fused: in bfloat16 on a processor; torch.compile does so itself."""
        on_processor = next(self._tensors()).device.type == 'cpu'
        return dtype == torch.bfloat16 and on_processor and not self._compiled and can_fuse()

    def _fused(
        self, made: nn.Module, exact: torch.Tensor, shared: dict[int, nn.Parameter]
    ) -> nn.Module:
        """The copy with fused layers, where that is as close to float32; NaN keeps torch's."""
        noise = self._noise().to(torch.bfloat16)
        fused = copy.deepcopy(made, dict(shared))
        fused.eval()
        fuse_layers(
            fused,
            layer_modules(fused, self.names),
            lambda: run_layers(fused, noise, self.names),
        )
        off, allowed = (
            float((run_layers(net, noise, self.names) - exact).square().mean().sqrt())
            for net in (fused, made)
        )
        if off <= _FUSE_TOLERANCE * allowed:
            return fused
        print_log(
            f'{type(self.backbone).__name__}: layers are not fused: the output would be off by '
            f'{off:.2g}, layer by layer it is by {allowed:.2g}',
            'current',
            logging.WARNING,
        )
        return made

    def _noise(self) -> torch.Tensor:
        """One patch of noise: (1, 3, S, S)."""
        # A generator of its own: the run's random numbers are not touched.
        noise = torch.randn(1, 3, self.size, self.size, generator=torch.Generator().manual_seed(0))
        return noise.to(next(self._tensors()).device)

    def _agree(self, before: torch.Tensor, after: torch.Tensor) -> bool:
        """Whether folding left an output as it was."""
        off = float((before - after).abs().max() / before.abs().max().clamp(min=1e-12))
        if off > _FOLD_TOLERANCE:
            print_log(
                f'{type(self.backbone).__name__}: BatchNorm is not folded into the convolutions: '
                f'the output would change by {off:.2g} of its largest value',
                'current',
                logging.WARNING,
            )
        return off <= _FOLD_TOLERANCE
