"""Timers and memory gauges for comparing ways of doing the same work."""

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import psutil
import torch
import torch.nn.functional as F

Result = TypeVar('Result')


class PeakMemory:
    """Largest resident memory of the process (CPU) or of the allocator (CUDA) inside a `with`.

    `peak` (bytes) is read inside the block, for the time so far, or after it.
    """

    def __init__(self, device: torch.device | str) -> None:
        self.device, self._peak, self._on = torch.device(device), 0, True

    def __enter__(self) -> 'PeakMemory':
        if self.device.type == 'cuda':
            torch.cuda.reset_peak_memory_stats(self.device)
        else:
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()
        return self

    def _watch(self) -> None:
        process = psutil.Process()
        while self._on:
            self._peak = max(self._peak, process.memory_info().rss)
            time.sleep(0.01)

    def __exit__(self, *error: Any) -> None:
        self._peak, self._on = self.peak, False
        if self.device.type != 'cuda':
            self._thread.join()

    @property
    def peak(self) -> int:
        """Bytes."""
        if self._on and self.device.type == 'cuda':
            return torch.cuda.max_memory_allocated(self.device)
        return self._peak


def timed(function: Callable[[], Result], device: torch.device | str) -> tuple[float, Result]:
    """Return seconds and result of a call, with the work of the device finished at both ends."""
    cuda = torch.device(device).type == 'cuda'
    if cuda:
        torch.cuda.synchronize()
    start = time.perf_counter()
    result = function()
    if cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start, result


@torch.no_grad()
def matrix_rate(device: torch.device | str, dtype: torch.dtype, repeats: int = 3) -> float:
    """Return the TFLOP per second of a large matrix product or 3×3 convolution, the faster one."""

    def rate(function: Callable[[], torch.Tensor], flop: float) -> float:
        function()
        return flop / min(timed(function, device)[0] for _ in range(repeats)) / 1e12

    a, b = (torch.randn(2048, 4096, device=device).to(dtype) for _ in range(2))
    x = torch.randn(16, 256, 32, 32, device=device).to(dtype)
    x = x.contiguous(memory_format=torch.channels_last)
    w = torch.randn(256, 256, 3, 3, device=device).to(dtype)
    return max(
        rate(lambda: F.linear(a, b), 2 * 2048 * 2048 * 4096),
        rate(lambda: F.conv2d(x, w, padding=1), 2 * 16 * 32 * 32 * 256 * 256 * 9),
    )
