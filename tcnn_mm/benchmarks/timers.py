"""Clocks and gauges for comparing ways of doing the same work."""

import threading
import time

import torch
import torch.nn.functional as F


class PeakMemory:
    """Largest resident memory of the process (CPU) or of the allocator (CUDA) while it is on.

    Attributes:
        peak (int): Bytes, when it is off again.
    """

    def __init__(self, device):
        self.device, self.peak, self._on = torch.device(device), 0, True

    def __enter__(self):
        if self.device.type == 'cuda':
            torch.cuda.reset_peak_memory_stats(self.device)
        else:
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()
        return self

    def _watch(self):
        while self._on:
            with open('/proc/self/statm', encoding='utf-8') as file:
                self.peak = max(self.peak, int(file.read().split()[1]) * 4096)
            time.sleep(0.01)

    def __exit__(self, *error):
        self._on = False
        if self.device.type == 'cuda':
            self.peak = torch.cuda.max_memory_allocated(self.device)
        else:
            self._thread.join()


def timed(function, device):
    """(seconds, result) of a call, with the device's work finished before and after."""
    cuda = torch.device(device).type == 'cuda'
    if cuda:
        torch.cuda.synchronize()
    start = time.perf_counter()
    result = function()
    if cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start, result


@torch.no_grad()
def matrix_rate(device, dtype, repeats=3):
    """TFLOP a second that this machine reaches in a large matrix product or 3×3 convolution."""

    def rate(function, flop):
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
