"""Every error that the gateway tells has a code; this is the list, each with its cause and its remedy.

A code never changes its meaning and is never used again for another. The same code stands in the log, in the message at
the broker, and in what `edge-gateway check` prints; `edge-gateway explain CODE` prints its entry, and config/README.md
has them all.
"""

from gateway.vocabulary.code import Code, Entry

__all__ = ["Code", "Entry"]
