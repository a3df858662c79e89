"""The random feature bank of the benchmark is one that the data set reads."""

from tcnn_mm.benchmarks.training_speed import TRAIN_BATCH, random_bank


def test_a_random_bank_is_read(tmp_path):
    """Batches of features and labels come from it, as in a training."""
    loader = random_bank(str(tmp_path), width=4, rows=2 * TRAIN_BATCH)
    features = [batch['inputs'][0][0] for batch in loader]
    assert [tuple(part.shape) for part in features] == [(TRAIN_BATCH, 4)] * 2
