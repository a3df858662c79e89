"""One page from the work directory of a run."""
