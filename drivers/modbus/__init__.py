"""Modbus: the registers and coils of PLCs, meters and drives, read in as few requests as their addresses allow."""
