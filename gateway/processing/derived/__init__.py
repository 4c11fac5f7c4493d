"""Tags that are worked out from others: formulas and windows of time, on virtual devices.

Every sample of a source counts, not only what is sent: what is worked out here sees values after scaling and judging
and before deadbands.
"""
