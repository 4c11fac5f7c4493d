"""The command `edge-gateway`: one module a command."""
