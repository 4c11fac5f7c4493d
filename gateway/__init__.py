"""The core of edge-gateway: acquisition plans, trust in values, the outbox, recovery. It knows no field protocol."""
