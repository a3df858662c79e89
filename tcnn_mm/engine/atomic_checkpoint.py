"""Checkpoints that are never lost: the new one is whole on disk before the old one goes."""

import os.path as osp
from collections import deque
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, get_file_backend
from mmengine.hooks import CheckpointHook
from mmengine.runner import IterBasedTrainLoop, Runner, save_checkpoint

from tcnn_mm.checkpoints.atomic_backend import ATOMIC
from tcnn_mm.checkpoints.atomic_write import atomic_write, remove_stale_drafts
from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.checkpoints.resuming import LAST, newest_whole, why_not_whole
from tcnn_mm.checkpoints.weight_paths import file_digest
from tcnn_mm.compat import resume_request, running_loop, set_resume_path
from tcnn_mm.engine.missed_validation import MissedValidationHook, record_validation
from tcnn_mm.engine.resume_state import (
    drop_functions,
    restore_early_stopping,
    restore_gradients,
    store_early_stopping,
    store_gradients,
    waiting_gradients,
)
from tcnn_mm.errors import UserError
from tcnn_mm.registry import HOOKS

# Info of the message hub: former best checkpoints, which are removed after this one is saved.
REPLACED = 'replaced_best_ckpts'


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """mmengine's `CheckpointHook`, safe against a kill or a full disk at any moment.

    mmengine removes the old checkpoint first and writes the new one in place. Here a checkpoint is
    written beside its path, flushed to disk and renamed; then `last_checkpoint` is replaced; then
    old checkpoints are removed. So is the best one of `save_best`, and so are the files of
    `published_keys`.

    Gradients that wait for a step (`accumulative_counts`) and the counts of `EarlyStoppingHook` are
    stored and restored; the state of a schedule holds no function, which a safe reader would
    refuse. A validation that a kill left out is done first (:class:`MissedValidationHook`).

    `resume=True` without `load_from` goes on from the newest whole checkpoint of the work dir,
    wherever the work dir is now, and logs which ones it skipped and why. The same arguments as
    `CheckpointHook`, whose place `tcnn train` gives it in any config. Remote folders are written
    by mmengine's own backends.

    Raises:
        UserError: A checkpoint cannot be written; `resume` finds checkpoints, but none is whole;
            the one that was named is not.
    """

    # Of a save that is under way; of a validation whose hooks are under way.
    _gradients: Sequence[dict[str, torch.Tensor]] = ()
    _best_is_new = False
    _replaced: Sequence[str] = ()

    def before_run(self, runner: Runner) -> None:
        """Choose the checkpoint to resume from, before mmengine reads `last_checkpoint`."""
        wanted, named = resume_request(runner)
        if not wanted:
            return
        runner.register_hook(MissedValidationHook(), priority='LOWEST')
        if named is not None:
            reason = why_not_whole(named) if osp.exists(named) or '://' not in named else None
            if reason:
                raise UserError(
                    f'{named}: cannot be resumed: {reason}; or take the newest whole checkpoint of '
                    'the work dir: tcnn train … --resume'
                )
            return
        folder = self._folder(runner)
        if not isinstance(get_file_backend(folder, backend_args=self.backend_args), LocalBackend):
            return  # mmengine reads last_checkpoint
        found = newest_whole(folder, self.filename_tmpl, runner.work_dir)
        for skipped in found.skipped:
            runner.logger.warning(f'resume: skipped {skipped}')
        if found.path is None and found.skipped:
            raise UserError(
                f'{folder}: no whole checkpoint to resume from; {"; ".join(found.skipped)}; remove '
                'these files to start from the beginning'
            )
        if found.path is None:
            runner.logger.info(f'resume: no checkpoint in {folder}; starting from the beginning')
        else:
            runner.logger.info(f'resume: from {found.path}')
        set_resume_path(runner, found.path)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Add what mmengine leaves out; remove what is code."""
        drop_functions(checkpoint.get('param_schedulers') or ())
        store_gradients(checkpoint, self._gradients)
        store_early_stopping(runner, checkpoint)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """At resume: restore what `before_save_checkpoint` added."""
        if resume_request(runner)[0]:
            restore_gradients(runner, checkpoint)
            restore_early_stopping(runner, checkpoint)

    def before_train(self, runner: Runner) -> None:
        """Remove what a killed run left; take the best checkpoint from the folder as it is now."""
        if self.by_epoch and isinstance(runner.train_loop, IterBasedTrainLoop):
            runner.logger.warning(
                'the only checkpoint is that of the end: train_cfg counts iterations, '
                'default_hooks.checkpoint epochs; set default_hooks.checkpoint.by_epoch=False'
            )
        super().before_train(runner)
        local = isinstance(self.file_backend, LocalBackend)
        if local and not self.backend_args and not self.file_client_args:
            self.backend_args: dict[str, Any] | None = dict(backend=ATOMIC)
        if local and is_main_process():
            for folder in {self.out_dir, runner.work_dir}:
                for path in remove_stale_drafts(folder):
                    runner.logger.info(f'removed {path}, left by a run that was killed')
        if local:
            self._best = {key: self._here(path) for key, path in self._best.items()}
            info = runner.message_hub.runtime_info
            for path in info.get(REPLACED, ()):  # the run was killed before it removed them
                name = osp.basename(path)
                if name.startswith('best_') and self._here(name) not in self._best.values():
                    self._remove(osp.join(self.out_dir, name))
            saved = info.get('last_ckpt')
            if saved and resume_request(runner)[0]:
                self.last_ckpt = self._here(saved)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict[str, Any]) -> None:
        steps = list(getattr(self, 'keep_ckpt_ids', ()))
        if self.max_keep_ckpts > 0 and (not steps or steps[-1] != step):
            steps.append(step)
            # The older one is recorded in the new one: a resumed run removes it.
            runner.message_hub.update_info('keep_ckpt_ids', list(steps))
        name = self.filename_tmpl.format(step)
        path = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', path)
        self._gradients = waiting_gradients(runner)
        try:
            runner.save_checkpoint(
                self.out_dir,
                name,
                self.file_client_args,
                save_optimizer=self.save_optimizer,
                save_param_scheduler=self.save_param_scheduler,
                meta=meta,
                by_epoch=self.by_epoch,
                backend_args=self.backend_args,
                **self.args,
            )
            if is_main_process():
                with atomic_write(osp.join(runner.work_dir, LAST), durable=True) as file:
                    file.write(path)
        except OSError as error:
            raise _not_written(path, error) from error
        finally:
            self._gradients = ()
        self.last_ckpt = path
        if self.max_keep_ckpts > 0:
            for old in steps[: -self.max_keep_ckpts]:
                name = self.filename_tmpl.format(old)
                self._remove(self.file_backend.join_path(self.out_dir, name))
            self.keep_ckpt_ids = deque(steps[-self.max_keep_ckpts :], self.max_keep_ckpts)

    def _save_best_checkpoint(self, runner: Runner, metrics: dict[str, Any]) -> None:
        if not self.save_best:
            return
        # mmengine removes the former best one before it writes; of None it removes nothing. It then
        # saves the last checkpoint again, if there is one, before other hooks have the metrics.
        before, last = self._best, self.last_ckpt
        self._best, self.last_ckpt = dict.fromkeys(before), None
        try:
            super()._save_best_checkpoint(runner, metrics)
        except OSError as error:
            raise _not_written(f'{self.out_dir}: the best checkpoint', error) from error
        finally:
            self.last_ckpt = last
        now = self._best
        self._best = {key: now[key] or path for key, path in before.items()}
        self._best_is_new = now != dict.fromkeys(before)
        self._replaced = [
            path for path in before.values() if path and path not in self._best.values()
        ]

    def after_val(self, runner: Runner) -> None:
        """Save the last checkpoint again with a new best score, when all hooks have had it.

        A training that was ended by this validation is not: resumed, it validates again, and its
        hooks decide anew.
        """
        if running_loop(runner) != 'train':
            return
        record_validation(runner)
        new, self._best_is_new = self._best_is_new, False
        if new and self.last_ckpt is not None and not runner.train_loop.stop_training:
            runner.message_hub.update_info(REPLACED, list(self._replaced))
            step = runner.epoch if self.by_epoch else runner.iter
            meta = dict(epoch=runner.epoch, iter=runner.iter)
            self._save_checkpoint_with_step(runner, step, meta)
        replaced, self._replaced = self._replaced, ()
        for path in replaced:
            self._remove(path)

    def after_train(self, runner: Runner) -> None:
        """Write what `published_keys` asks for, also where a run was killed in the middle of it."""
        super().after_train(runner)

    def _publish_model(self, runner: Runner, ckpt_path: str) -> None:
        """Write NAME-DIGEST.pth with the published keys; mmengine writes it in place."""
        if not isinstance(self.file_backend, LocalBackend):
            super()._publish_model(runner, ckpt_path)
            return
        if not is_main_process():
            return
        content = load_safely(ckpt_path)
        kept = {key: value for key, value in content.items() if key in self.published_keys}
        # Of the file: a pickle of the same values differs after a resume.
        path = f'{osp.splitext(ckpt_path)[0]}-{file_digest(ckpt_path)[:8]}.pth'
        try:
            save_checkpoint(kept, path, backend_args=dict(backend=ATOMIC))
        except OSError as error:
            raise _not_written(path, error) from error
        runner.logger.info(f'{path}: {", ".join(kept)} of {ckpt_path}')

    @property
    def _best(self) -> dict[str, str | None]:
        """Metric → path of the best checkpoint; mmengine has two attributes for it."""
        if not self.save_best:
            return {}
        if len(self.key_indicators) == 1:
            return {self.key_indicators[0]: self.best_ckpt_path}
        return {key: self.best_ckpt_path_dict.get(key) for key in self.key_indicators}

    @_best.setter
    def _best(self, paths: dict[str, str | None]) -> None:
        if len(paths) == 1:
            (self.best_ckpt_path,) = paths.values()
        elif paths:
            self.best_ckpt_path_dict = dict(paths)

    def _here(self, path: str | None) -> str | None:
        """The best checkpoint in the folder as it is now: the message hub names the former one."""
        return path and osp.join(self.out_dir, osp.basename(path.replace('\\', '/')))

    def _remove(self, path: str) -> None:
        """Remove a checkpoint of this run, on the main process."""
        if not is_main_process():
            return
        if self.file_backend.isfile(path):
            self.file_backend.remove(path)
        elif self.file_backend.isdir(path):
            self.file_backend.rmtree(path)  # deepspeed's are folders

    def _folder(self, runner: Runner) -> str:
        """Folder of the checkpoints, as mmengine's `before_train` finds it."""
        if self.out_dir is None or self.out_dir == runner.work_dir:
            return runner.work_dir
        return osp.join(self.out_dir, osp.basename(runner.work_dir.rstrip(osp.sep)))


def _not_written(path: str, error: OSError) -> UserError:
    return UserError(
        f'{path} could not be written ({error.strerror or error}); the checkpoint before it stays; '
        'make room or fix the folder, then: tcnn train … --resume'
    )
