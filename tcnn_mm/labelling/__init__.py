"""What a fit says of labels: those to check, and which images to label next."""
