"""A validation that a kill left out, done when the training is resumed."""

from bisect import bisect

from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner

from tcnn_mm.compat import resume_request
from tcnn_mm.engine.resume_state import has_stopped

# Info of the message hub: the iteration at which the last validation was made.
VALIDATED = 'validated_iter'


class MissedValidationHook(Hook):
    """Validates first, if the checkpoint that a training goes on from was not validated.

    mmengine saves a checkpoint before its validation and goes on with the next epoch when it is
    resumed: the best checkpoint, the log, schedules and early stopping then miss an epoch. A
    checkpoint that records no validation of its iteration may have been validated too; its state is
    that of before, so doing it again gives the same.

    `AtomicCheckpointHook` registers it at a resume, as the last of all hooks.
    """

    def before_train(self, runner: Runner) -> None:
        """Validate, or end a training that early stopping had ended."""
        if not resume_request(runner)[0] or not validation_is_due(runner):
            return
        if runner.message_hub.runtime_info.get(VALIDATED) != runner.iter:
            runner.logger.info(
                'resume: the checkpoint records no validation of its own; validating first'
            )
            runner.val_loop.run()
        elif has_stopped(runner):
            runner.train_loop.stop_training = True


def record_validation(runner: Runner) -> None:
    """Record in the checkpoints from now on that this iteration was validated."""
    runner.message_hub.update_info(VALIDATED, runner.iter)


def validation_is_due(runner: Runner) -> bool:
    """Whether mmengine's loops validate after the step at which a training is.

    False before the first step, without a validation, and of a loop that is none of mmengine's.
    """
    loop = runner.train_loop
    if runner.val_loop is None:
        return False
    if type(loop) is EpochBasedTrainLoop:
        done, last = loop.epoch, loop.max_epochs
    elif type(loop) is IterBasedTrainLoop:
        done, last = loop.iter, loop.max_iters
    else:
        return False
    interval = loop.dynamic_intervals[bisect(loop.dynamic_milestones, done + 1) - 1]
    return done > 0 and done >= loop.val_begin and (done % interval == 0 or done == last)
