"""The process group: its start, with and without GPUs, and work of the main process."""

import os
import subprocess
from collections.abc import Callable

import torch
from mmengine.config import Config, ConfigDict
from mmengine.dist import broadcast_object_list, get_world_size, init_dist, is_main_process

from tcnn_mm.engine.end_with_launcher import end_with_launcher
from tcnn_mm.errors import UserError


def prepare_processes(cfg: Config) -> None:
    """Join the process group before anything asks for a rank (feature banks do, early).

    Without a GPU: gloo, and a model wrapper without device ids. mmengine calls
    `torch.cuda.set_device` for every launcher, but skips its own start when a group exists. From
    here on the process ends with its launcher.

    Args:
        cfg: With `launcher`. `model_wrapper_cfg` is set where there is no GPU.

    Raises:
        UserError: A launcher that needs GPUs where there are none.
    """
    if cfg.launcher == 'none' or torch.distributed.is_initialized():
        return
    end_with_launcher()
    if torch.cuda.is_available():
        init_dist(cfg.launcher, **cfg.get('env_cfg', {}).get('dist_cfg', {}))
        return
    if cfg.launcher == 'slurm':
        read_slurm()
    elif cfg.launcher != 'pytorch':
        raise UserError(
            f'--launcher {cfg.launcher} needs GPUs, and none is here; use tools/dist_train.sh '
            '(torchrun -m tcnn_mm.cli train CONFIG --launcher pytorch) or tools/slurm_train.sh'
        )
    torch.distributed.init_process_group('gloo')
    cfg.model_wrapper_cfg = ConfigDict(type='MMDistributedDataParallel', device_ids=None)


def read_slurm() -> None:
    """Set torch's RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT from srun's variables.

    Raises:
        UserError: Not started by srun.
    """
    names = dict(RANK='SLURM_PROCID', WORLD_SIZE='SLURM_NTASKS', LOCAL_RANK='SLURM_LOCALID')
    for ours, theirs in names.items():
        if theirs not in os.environ:
            raise UserError(
                f'--launcher slurm: {theirs} is not set; start through srun, e.g. with '
                'tools/slurm_train.sh'
            )
        os.environ[ours] = os.environ[theirs]
    if 'MASTER_ADDR' not in os.environ:
        command = ['scontrol', 'show', 'hostnames', os.environ['SLURM_NODELIST']]
        hosts = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        os.environ['MASTER_ADDR'] = hosts.split()[0]
    os.environ.setdefault('MASTER_PORT', '29500')


def on_main_process(work: Callable[[], object]) -> None:
    """Do something in the main process alone, while the others wait.

    Raises:
        UserError: The one that `work` raises, in all processes.
    """
    message: list[str | None] = [None]
    if is_main_process():
        try:
            work()
        except UserError as error:
            if get_world_size() == 1:
                raise
            message = [str(error)]
    broadcast_object_list(message)
    if message[0] is not None:
        raise UserError(message[0])
