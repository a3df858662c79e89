"""Which number types the processor computes in."""

import functools
import os.path as osp

import torch

# A processor without them computes in a 16-bit type by oneDNN's reference code.
_INSTRUCTIONS = {
    torch.bfloat16: ('amx_bf16', 'avx512_bf16'),
    torch.float16: ('amx_fp16', 'avx512_fp16'),
}


def _cpuinfo() -> dict[str, str]:
    """Entries of the first processor in /proc/cpuinfo; empty where there is none."""
    if not osp.isfile('/proc/cpuinfo'):
        return {}
    with open('/proc/cpuinfo', encoding='utf-8') as file:
        pairs = (line.split(':', 1) for line in file if ':' in line)
        return {key.strip(): value.strip() for key, value in pairs}


def processor_name() -> str | None:
    """Return the name of the processor; None where /proc/cpuinfo does not give it."""
    return _cpuinfo().get('model name')


@functools.cache
def instructions(dtype: torch.dtype) -> list[str]:
    """Names of this processor's instructions for a 16-bit type; without any it is emulated."""
    flags = _cpuinfo().get('flags', '').split()
    return [flag for flag in _INSTRUCTIONS[dtype] if flag in flags]


def is_native(dtype: torch.dtype, device_type: str) -> bool:
    """Return whether a device computes in a dtype; a processor may emulate it, far slower."""
    return dtype not in _INSTRUCTIONS or device_type != 'cpu' or bool(instructions(dtype))
