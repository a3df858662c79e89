"""A work directory is read as the run wrote it."""

from tcnn_mm.reports.run_artifacts import join_scalars, read_run_artifacts, read_scores


def test_a_later_run_takes_the_place_of_an_earlier():
    """Resumed at step 3, or begun anew: one line a step, the later run's; a test is no training."""

    def log(*steps, value=0):
        return [dict(step=step, loss=value) for step in steps]

    assert join_scalars([log(1, 2, 3, 4), log(3, 4, value=1), [{'voc10/mAP': 1, 'step': 0}]]) == [
        *log(1, 2), *log(3, 4, value=1),
    ]  # fmt: skip
    assert join_scalars([log(1, 2, 3), log(1, value=1)]) == log(1, value=1)


def test_a_work_directory_is_read_as_it_was_written(trained_run):
    """Scores to the last bit, the tested checkpoint, the training's own config."""
    run = trained_run.folder
    found = read_run_artifacts(run)
    assert found.checkpoint == str(run / 'epoch_2.pth') and found.training.train_cfg.max_epochs == 2
    assert found.environment['Python'].startswith('3.')
    scores = read_scores(run / 'image_scores.csv')
    assert scores.values.shape == (12, 6) and scores.ids[0] == 'test_0000'
