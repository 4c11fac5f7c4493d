"""How the gateway itself is doing, told to systemd and to people."""
