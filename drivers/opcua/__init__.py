"""Tags of an OPC UA server, told by subscription, through asyncua."""
