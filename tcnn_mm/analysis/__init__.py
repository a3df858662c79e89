"""Research side: baselines, class activation maps, learning curves, sweeps of k."""
