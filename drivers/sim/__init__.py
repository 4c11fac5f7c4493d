"""A driver without a wire: plausible signals, and faults on demand."""
