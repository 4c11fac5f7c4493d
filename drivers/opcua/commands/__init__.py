"""Tools of the OPC UA driver on the command line; need no connection."""
