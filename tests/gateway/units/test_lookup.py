"""Units: what people write is understood, the codes are those of the lists, and factors are right to the digit."""

from __future__ import annotations

from fractions import Fraction

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.units import ConversionError, Unit, conversion, find_unit, nearest_unit
from gateway.units.lookup import _units
from gateway.units.table import TABLE

REGISTRY = pint.UnitRegistry()

IN_PINT = {
    "Ohm": "ohm", "mOhm": "mohm", "kOhm": "kohm", "MOhm": "Mohm", "Ah": "A*h", "mAh": "mA*h", "kAh": "kA*h",
    "Wh": "W*h", "kWh": "kW*h", "MWh": "MW*h", "GWh": "GW*h", "r/min": "rpm", "r/s": "revolution/second",
    "Cel": "degC", "°F": "degF", "N/mm2": "N/mm**2", "in": "inch", "ft": "foot", "m2": "m**2", "cm2": "cm**2",
    "mm2": "mm**2", "m3": "m**3", "gal": "gallon", "m3/h": "m**3/h", "m3/s": "m**3/s", "m3/min": "m**3/min",
    "gal/min": "gallon/min", "kg/m3": "kg/m**3", "g/cm3": "g/cm**3", "g/m3": "g/m**3", "mg/m3": "mg/m**3",
    "ug/m3": "ug/m**3", "Nm": "N*m", "kNm": "kN*m", "m/s2": "m/s**2", "mm/s2": "mm/s**2", "gn": "standard_gravity",
    "VA": "V*A", "kVA": "kV*A", "MVA": "MV*A", "W/m2": "W/m**2", "W/(m2K)": "W/m**2/K", "J/(kgK)": "J/kg/K",
    "Pas": "Pa*s", "mPas": "mPa*s", "mm2/s": "mm**2/s", "t": "metric_ton", "t/h": "metric_ton/hour", "%": "percent",
    "lb": "pound", "min": "minute", "h": "hour", "d": "day", "kVAh": "kV*A*h", "uSv/h": "uSv/h", "1": "dimensionless",
}  # fmt: skip
"""How pint calls what the table calls otherwise."""

NOT_IN_PINT = {
    "var", "kvar", "Mvar", "varh", "kvarh", "bar(g)", "psi(g)", "Nm3", "Nm3/h", "%RH", "pcs", "pH", "dB", "dB(A)",
    "deg", "ppb",
}  # fmt: skip
"""Quantities that pint does not tell apart, or logarithms."""

UNITS = sorted(set(_units().values()))


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.name not in NOT_IN_PINT], ids=lambda unit: unit.name)
def test_each_factor_is_the_one_that_pint_knows(unit: Unit) -> None:
    """A library that others wrote is the witness, for every unit against the first one of its quantity."""
    base = next(other for other in _units().values() if other.quantity == unit.quantity)
    there = REGISTRY.Quantity(37.5, IN_PINT.get(unit.name, unit.name)).to(IN_PINT.get(base.name, base.name))
    assert float(Fraction(75, 2) * unit.factor + unit.offset) == pytest.approx(float(there.magnitude), rel=1e-12)


@pytest.mark.parametrize(
    ("written", "ucum", "rec20"),
    [
        ("°C", "Cel", "CEL"),
        ("Cel", "Cel", "CEL"),
        ("kW", "kW", "KWT"),
        ("kW·h", "kW.h", "KWH"),
        ("m³/h", "m3/h", "MQH"),
        ("m^3/h", "m3/h", "MQH"),
        ("r/min", "{rev}/min", "RPM"),
        ("rpm", "{rev}/min", "RPM"),
        ("kvarh", None, "K3"),
        ("µS/cm", "uS/cm", "G42"),
        ("μS/cm", "uS/cm", "G42"),
        ("kΩ", "kOhm", "B49"),
        ("k\u2126", "kOhm", "B49"),
        ("N·m", "N.m", "NU"),
        ("m/s²", "m/s2", "MSK"),
        ("%", "%", "P1"),
    ],
)
def test_what_people_write_has_its_codes(written: str, ucum: str | None, rec20: str) -> None:
    """UCUM for computers that read units, UN/ECE for OPC UA and invoices."""
    unit = find_unit(written)
    assert unit is not None
    assert (unit.ucum, unit.rec20) == (ucum, rec20)


def test_no_spelling_stands_for_two_units() -> None:
    """Each word has one meaning."""
    spellings = [word for line in TABLE.strip().splitlines() for word in line.split("|")[0].split()]
    assert len(spellings) == len(set(spellings))


def test_each_spelling_of_the_table_is_found_as_it_stands() -> None:
    """The form into which text is brought is the one that the table is written in."""
    assert [word for word in _units() if find_unit(word) is not _units()[word]] == []


def test_milli_and_mega_are_told_apart() -> None:
    """Case matters: mW and MW are nine powers of ten apart."""
    assert find_unit("mW") != find_unit("MW")
    assert find_unit("KW") is None
    assert nearest_unit("KW") == "kW"


@pytest.mark.parametrize(
    ("source", "target", "slope", "intercept"),
    [
        ("kW", "W", Fraction(1000), 0),
        ("W", "kW", Fraction(1, 1000), 0),
        ("°F", "°C", Fraction(5, 9), Fraction(-160, 9)),
        ("°C", "K", Fraction(1), Fraction("273.15")),
        ("J", "kWh", Fraction(1, 3_600_000), 0),
        ("bar", "kPa", Fraction(100), 0),
        ("km/h", "m/s", Fraction(5, 18), 0),
    ],
)
def test_conversions_are_exact_fractions(source: str, target: str, slope: Fraction, intercept: Fraction) -> None:
    """No float is rounded before it meets the reading."""
    assert conversion(source, target) == (slope, intercept)


@pytest.mark.parametrize(
    ("source", "target", "text"),
    [
        ("kW", "bar", "kW is a unit of power and bar one of pressure"),
        ("kW", "kVA", "kW is a unit of power and kVA one of apparent power"),
        ("bar", "bar(g)", "bar is a unit of pressure and bar(g) one of gauge pressure"),
        ("KW", "W", "the unit 'KW' is not known, did you mean 'kW'?"),
        ("kW", "horses", "the unit 'horses' is not known"),
        ("deg", "rad", "deg and rad do not convert by whole numbers: use `scale`"),
    ],
)
def test_what_cannot_be_converted_is_told(source: str, target: str, text: str) -> None:
    """Active and apparent power look alike and are not."""
    with pytest.raises(ConversionError) as told:
        conversion(source, target)
    assert str(told.value) == text


@given(st.text(max_size=20))
def test_any_text_is_a_unit_or_none(text: str) -> None:
    """A technician may write anything."""
    unit = find_unit(text)
    assert unit is None or unit in UNITS
    assert nearest_unit(text) is None or nearest_unit(text) in _units()


@given(st.sampled_from(UNITS), st.sampled_from(UNITS))
def test_there_and_back_is_the_same_number(one: Unit, other: Unit) -> None:
    """Whatever the pair, if it converts at all."""
    if one.quantity != other.quantity or one.factor is None or other.factor is None:
        return
    there, back = conversion(one.name, other.name), conversion(other.name, one.name)
    assert there.slope * back.slope == 1
    assert (Fraction(7) * there.slope + there.intercept) * back.slope + back.intercept == 7
