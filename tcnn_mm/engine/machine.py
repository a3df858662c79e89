"""What this machine can do fast."""

import os.path as osp
import platform

import torch


def _cpuinfo():
    """Entries of the first processor in /proc/cpuinfo; empty where there is none."""
    if not osp.isfile('/proc/cpuinfo'):
        return {}
    with open('/proc/cpuinfo', encoding='utf-8') as file:
        pairs = (line.split(':', 1) for line in file if ':' in line)
        return {key.strip(): value.strip() for key, value in pairs}


def bf16_instructions():
    """Names of this processor's bfloat16 instructions; without any, bfloat16 is not faster."""
    flags = _cpuinfo().get('flags', '').split()
    return [flag for flag in ('amx_bf16', 'avx512_bf16') if flag in flags]


def describe_machine():
    """dict: What figures of speed belong to."""
    return dict(
        cpu=_cpuinfo().get('model name', platform.processor()),
        threads=torch.get_num_threads(),
        bf16_instructions=bf16_instructions(),
        gpu=torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        torch=torch.__version__,
    )
