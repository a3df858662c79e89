"""How long a test waits for another process: a limit for hangs, which measures nothing."""

# Seconds. On a machine that is full, what takes seconds takes minutes.
LONGEST = 900
