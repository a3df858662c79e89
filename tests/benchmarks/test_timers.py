"""Gauges of time and memory, and the rows of a table."""

import numpy as np
import pytest
import torch

from tcnn_mm.benchmarks.hardware import describe_hardware
from tcnn_mm.benchmarks.tables import table_lines
from tcnn_mm.benchmarks.timers import PeakMemory, timed


def test_peak_memory_sees_what_a_block_allocates():
    """100 MB inside the block raise the peak; it can be read inside, and stays after it."""
    with PeakMemory('cpu') as memory:
        timed(lambda: torch.zeros(1), 'cpu')
        before = memory.peak
        block = np.ones(100_000_000, np.uint8)
        timed(lambda: block.sum() + torch.ones(10_000_000).sum(), 'cpu')
        while memory.peak < before + 90_000_000:  # the gauge reads every 10 ms
            timed(lambda: block.sum(), 'cpu')
    assert memory.peak >= before + 90_000_000


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA GPU')
def test_peak_memory_of_a_gpu_is_read_inside_the_block():
    """The allocator's peak so far, not 0."""
    with PeakMemory('cuda') as memory:
        block = torch.zeros(10_000_000, device='cuda')
        assert memory.peak >= block.numel() * 4
    assert memory.peak >= block.numel() * 4


def test_a_table_keeps_its_columns():
    """One heading, aligned columns, a dash for what a row lacks."""
    lines = table_lines(
        [dict(name='a', value=1.23456, left=1), dict(name='long', left=2)], ['left']
    )
    assert [line.split() for line in lines] == [['name', 'value'], ['a', '1.235'], ['long', '–']]
    assert (
        len({line.rfind(end) + len(end) for line, end in zip(lines, ('value', '1.235', '–'))}) == 1
    )  # noqa: B905,E501


def test_hardware_is_described_in_plain_types():
    """What the benchmark writes as JSON."""
    found = describe_hardware()
    assert found['threads'] >= 1 and found['memory_gb'] >= 1
    assert set(found) == {
        'cpu',
        'cores',
        'memory_gb',
        'threads',
        'bf16_instructions',
        'gpu',
        'torch',
    }
