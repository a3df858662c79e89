"""From annotated images to a tested classifier: plan, config, training, test."""
