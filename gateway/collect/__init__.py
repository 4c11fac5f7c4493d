"""From plans to batches: schedule, time-outs, back-off, and the quality of what cannot be read."""
