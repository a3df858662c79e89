"""Speed of inference and training, cost of a run, facts about the hardware."""
