"""An independent oracle: brute force over tiny instances, written from docs/model.md alone."""
