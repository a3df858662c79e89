"""Facts about the hardware that figures of speed belong to."""

import platform
from typing import Any

import psutil
import torch

from tcnn_mm.models.encoder.hardware import instructions, processor_name


def describe_hardware() -> dict[str, Any]:
    """Return processor, cores, memory (GB), threads, bfloat16 instructions, GPU, torch version."""
    return dict(
        cpu=processor_name() or platform.processor(),
        cores=psutil.cpu_count(logical=False),
        memory_gb=round(psutil.virtual_memory().total / 1e9),
        threads=torch.get_num_threads(),
        bf16_instructions=instructions(torch.bfloat16),
        gpu=torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        torch=torch.__version__,
    )
