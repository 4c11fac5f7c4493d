"""Units as people write them, with their UCUM and UN/ECE codes and their conversion; a table of its own, no library.

A library for dimensions (pint) was weighed: it takes longer to load than the gateway to start and 20 MB of memory on a
Pi, calculates in floats where 71.3 kW are to be 71300 W exactly, and knows no UN/ECE codes. It checks the factors of
this table in the tests.
"""

from gateway.units.lookup import Conversion, ConversionError, Unit, conversion, find_unit, nearest_unit

__all__ = ["Conversion", "ConversionError", "Unit", "conversion", "find_unit", "nearest_unit"]
