"""Batch to batch: scaling, validity, reporting. Compiled once a plan."""
