"""Gauges of time and memory, and the rows of a table."""

import time

import numpy as np
import pytest
import torch

from tcnn_mm.benchmarks.hardware import describe_hardware
from tcnn_mm.benchmarks.tables import table_lines
from tcnn_mm.benchmarks.timers import PeakMemory


def test_peak_memory_sees_what_a_block_allocates():
    """100 MB inside the block raise the peak; it can be read inside, and stays after it."""
    with PeakMemory('cpu') as memory:
        time.sleep(0.1)  # the gauge reads every 10 ms
        before = memory.peak
        block = np.ones(100_000_000, np.uint8)
        time.sleep(0.2)
        inside = memory.peak
    assert inside >= before + 90_000_000 and memory.peak >= inside
    assert block.sum() == 100_000_000


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA GPU')
def test_peak_memory_of_a_gpu_is_read_inside_the_block():
    """The allocator's peak so far, not 0."""
    with PeakMemory('cuda') as memory:
        block = torch.zeros(10_000_000, device='cuda')
        assert memory.peak >= block.numel() * 4
    assert memory.peak >= block.numel() * 4


def test_a_table_keeps_its_columns():
    """One heading, aligned columns, a dash for what a row lacks."""
    rows = [dict(name='a', value=1.23456, left=1), dict(name='long', left=2)]
    lines = table_lines(rows, ['left'])
    assert [line.split() for line in lines] == [['name', 'value'], ['a', '1.235'], ['long', '–']]
    assert len({len(line) for line in lines}) == 1  # the last column is aligned at its end


def test_hardware_is_described_in_plain_types():
    """What the benchmark writes as JSON."""
    found = describe_hardware()
    assert found['threads'] >= 1 and found['memory_gb'] >= 1
    keys = {'cpu', 'cores', 'memory_gb', 'threads', 'bf16_instructions', 'gpu', 'torch'}
    assert set(found) == keys
