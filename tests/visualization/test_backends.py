"""mmengine's backends of the visualizer, really run: scalars of a training, maps of a test."""

import copy

import pytest

from tests.support.runs import small_config, test, train

pytestmark = pytest.mark.slow
HERE = {
    f'{part}_dataloader.{key}': value
    for part in ('train', 'test')
    for key, value in dict(num_workers=0, persistent_workers=False).items()
}


def run(folder, **backend):
    """Train one epoch and draw the maps of one image, with one backend; returns its name."""
    pytest.importorskip('matplotlib', reason='score maps need matplotlib')

    def config(work_dir):
        cfg = small_config(work_dir, images=4, epochs=1, **HERE)
        cfg.default_hooks.logger.interval = 1
        cfg.visualizer = dict(type='tcnn_mm.ScoreMapVisualizer', vis_backends=[dict(backend)])
        # Under a name of its own: mmengine keeps visualizers by name.
        cfg.visualizer.name = cfg.experiment_name
        cfg.val_cfg, cfg.val_dataloader = dict(), copy.deepcopy(cfg.test_dataloader)
        cfg.val_evaluator = [dict(type='tcnn_mm.VOCDevkitAP', mode='voc10')]
        return cfg

    train(config(folder / 'train'))
    cfg = config(folder / 'test')
    cfg.custom_hooks = [
        *copy.deepcopy(cfg.custom_hooks), dict(type='tcnn_mm.ScoreMapHook', max_images=1)
    ]  # fmt: skip
    test(cfg, folder / 'train' / 'epoch_1.pth')
    (drawn,) = (folder / 'test' / 'score_maps').iterdir()
    return drawn.stem


def test_tensorboard(tmp_path):
    """Loss and metric are scalars, a map is an image."""
    pytest.importorskip('tensorboard', reason='tensorboard is not installed')
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    name = run(tmp_path, type='TensorboardVisBackend')
    tags = []
    for run_folder in ('train', 'test'):
        (path,) = (tmp_path / run_folder).rglob('events.out.tfevents.*')
        tags.append(EventAccumulator(str(path)).Reload().Tags())
    assert {'loss', 'voc10/mAP'} <= set(tags[0]['scalars'])
    assert tags[1]['images'] == [f'score_maps/{name}']


def test_wandb_offline(tmp_path, monkeypatch):
    """The same in the files of an offline run."""
    pytest.importorskip('wandb', reason='wandb is not installed')
    monkeypatch.setenv('WANDB_MODE', 'offline')
    monkeypatch.setenv('WANDB_SILENT', 'true')
    name = run(tmp_path, type='WandbVisBackend', init_kwargs=dict(project='tcnn'))
    (path,) = (tmp_path / 'train').rglob('run-*.wandb')
    assert b'loss' in path.read_bytes() and b'voc10/mAP' in path.read_bytes()
    (image,) = (tmp_path / 'test').rglob('media/images/score_maps/*.png')
    assert image.name.startswith(name)


def test_mlflow_files(tmp_path, monkeypatch):
    """The same in a folder of MLflow; a map is an artifact."""
    pytest.importorskip('mlflow', reason='mlflow is not installed')
    monkeypatch.setenv('MLFLOW_ALLOW_FILE_STORE', 'true')
    import mlflow
    from mlflow.tracking import MlflowClient

    name = run(tmp_path, type='MLflowVisBackend')
    mlflow.end_run()
    found = []
    for run_folder in ('train', 'test'):
        (path,) = (tmp_path / run_folder).glob('*/vis_data')
        client = MlflowClient(tracking_uri=f'file://{path}')
        found += [
            (client, made)
            for experiment in client.search_experiments()
            for made in client.search_runs([experiment.experiment_id])
        ]
    (_, trained), (client, tested) = found
    assert {'loss', 'voc10/mAP'} <= set(trained.data.metrics)
    (artifact,) = client.list_artifacts(tested.info.run_id, 'score_maps')
    assert artifact.path == f'score_maps/{name}.png'
