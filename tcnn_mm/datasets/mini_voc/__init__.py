"""MiniVOC, a small data set that is drawn on first use."""
