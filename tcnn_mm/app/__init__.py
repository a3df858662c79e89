"""A page in the browser: drop an image, see labels, maps and best patches."""
