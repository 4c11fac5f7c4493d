"""The shipped drivers, one folder each. The core finds them by the entry-point group `edge_gateway.drivers`."""
