"""The units that are known, a line each.

Spellings | UCUM code | UN/ECE Recommendation 20 code | quantity | factor | offset.

A value in the unit, times the factor, plus the offset, is the value in the first unit of its quantity. Factors are
exact: those of the international yard and pound (1959), the conventional 9.80665 m/s2, the SI Brochure (9th edition).
A `-` stands where a list has no code. Spellings leave out spaces, `·`, `*` and `^`, and write 3 for ³, u for µ and Ohm
for Ω; what people write is brought into that form first.
"""

from __future__ import annotations

from typing import Final

TABLE: Final = """
A                       | A            | AMP | electric current | 1
mA                      | mA           | 4K  | electric current | 1/1000
uA                      | uA           | B84 | electric current | 1/1000000
kA                      | kA           | B22 | electric current | 1000
V                       | V            | VLT | voltage | 1
uV                      | uV           | D82 | voltage | 1/1000000
mV                      | mV           | 2Z  | voltage | 1/1000
kV                      | kV           | KVT | voltage | 1000
Ohm ohm                 | Ohm          | OHM | resistance | 1
mOhm                    | mOhm         | E45 | resistance | 1/1000
kOhm                    | kOhm         | B49 | resistance | 1000
MOhm                    | MOhm         | B75 | resistance | 1000000
S                       | S            | SIE | conductance | 1
mS                      | mS           | C27 | conductance | 1/1000
uS                      | uS           | B99 | conductance | 1/1000000
S/m                     | S/m          | D10 | conductivity | 1
mS/cm                   | mS/cm        | H61 | conductivity | 1/10
uS/cm                   | uS/cm        | G42 | conductivity | 1/10000
F                       | F            | FAR | capacitance | 1
uF                      | uF           | 4O  | capacitance | 1/1000000
nF                      | nF           | C41 | capacitance | 1/1000000000
H                       | H            | 81  | inductance | 1
mH                      | mH           | C14 | inductance | 1/1000
T                       | T            | D33 | magnetic flux density | 1
mT                      | mT           | C29 | magnetic flux density | 1/1000
Ah                      | A.h          | AMH | electric charge | 1
mAh                     | mA.h         | E09 | electric charge | 1/1000
kAh                     | kA.h         | TAH | electric charge | 1000
W                       | W            | WTT | power | 1
mW                      | mW           | C31 | power | 1/1000
kW                      | kW           | KWT | power | 1000
MW                      | MW           | MAW | power | 1000000
GW                      | GW           | A90 | power | 1000000000
VA                      | V.A          | D46 | apparent power | 1
kVA                     | kV.A         | KVA | apparent power | 1000
MVA                     | MV.A         | MVA | apparent power | 1000000
var VAr VAR             | -            | D44 | reactive power | 1
kvar kVAr kVAR          | -            | KVR | reactive power | 1000
Mvar MVAr MVAR          | -            | MAR | reactive power | 1000000
Wh                      | W.h          | WHR | energy | 1
kWh                     | kW.h         | KWH | energy | 1000
MWh                     | MW.h         | MWH | energy | 1000000
GWh                     | GW.h         | GWH | energy | 1000000000
J Ws                    | J            | JOU | energy | 1/3600
kJ                      | kJ           | KJO | energy | 1000/3600
MJ                      | MJ           | 3B  | energy | 1000000/3600
GJ                      | GJ           | GV  | energy | 1000000000/3600
kVAh                    | kV.A.h       | C79 | apparent energy | 1
varh VArh VARh          | -            | -   | reactive energy | 1
kvarh kVArh kVARh       | -            | K3  | reactive energy | 1000
Hz                      | Hz           | HTZ | frequency | 1
kHz                     | kHz          | KHZ | frequency | 1000
MHz                     | MHz          | MHZ | frequency | 1000000
r/min rpm RPM U/min 1/min min-1 rev/min | {rev}/min | RPM | rotation | 1
r/s rps rev/s           | {rev}/s      | RPS | rotation | 60
Cel °C degC             | Cel          | CEL | temperature | 1 | 0
K                       | K            | KEL | temperature | 1 | -273.15
°F degF                 | [degF]       | FAH | temperature | 5/9 | -160/9
Pa                      | Pa           | PAL | pressure | 1
hPa                     | hPa          | A97 | pressure | 100
kPa                     | kPa          | KPA | pressure | 1000
MPa                     | MPa          | MPA | pressure | 1000000
mbar                    | mbar         | MBR | pressure | 100
bar bar(a) bara         | bar          | BAR | pressure | 100000
N/mm2                   | N/mm2        | C56 | pressure | 1000000
psi psi(a) psia lbf/in2 | [psi]        | PS  | pressure | 4.4482216152605/0.00064516
atm                     | atm          | ATM | pressure | 101325
bar(g) barg             | bar{gauge}   | BAR | gauge pressure | 1
psi(g) psig             | [psi]{gauge} | PS  | gauge pressure | 0.000044482216152605/0.00064516
m                       | m            | MTR | length | 1
km                      | km           | KMT | length | 1000
cm                      | cm           | CMT | length | 1/100
mm                      | mm           | MMT | length | 1/1000
um                      | um           | 4H  | length | 1/1000000
nm                      | nm           | C45 | length | 1/1000000000
in "                    | [in_i]       | INH | length | 0.0254
ft                      | [ft_i]       | FOT | length | 0.3048
m2                      | m2           | MTK | area | 1
cm2                     | cm2          | CMK | area | 1/10000
mm2                     | mm2          | MMK | area | 1/1000000
m3 cbm                  | m3           | MTQ | volume | 1
l L                     | L            | LTR | volume | 1/1000
ml mL                   | mL           | MLT | volume | 1/1000000
hl hL                   | hL           | HLT | volume | 1/10
gal                     | [gal_us]     | GLL | volume | 0.003785411784
Nm3 m3(N)               | m3{normal}   | NM3 | normal volume | 1
m3/h                    | m3/h         | MQH | volume flow | 1
m3/s                    | m3/s         | MQS | volume flow | 3600
m3/min                  | m3/min       | G53 | volume flow | 60
l/h L/h                 | L/h          | E32 | volume flow | 1/1000
l/min L/min lpm         | L/min        | L2  | volume flow | 60/1000
l/s L/s                 | L/s          | G51 | volume flow | 3600/1000
ml/min mL/min           | mL/min       | 41  | volume flow | 60/1000000
gal/min gpm GPM         | [gal_us]/min | G2  | volume flow | 0.22712470704
Nm3/h m3(N)/h           | m3{normal}/h | Q40 | normal volume flow | 1
g                       | g            | GRM | mass | 1
mg                      | mg           | MGM | mass | 1/1000
kg                      | kg           | KGM | mass | 1000
t                       | t            | TNE | mass | 1000000
lb                      | [lb_av]      | LBR | mass | 453.59237
kg/h                    | kg/h         | E93 | mass flow | 1
kg/min                  | kg/min       | F31 | mass flow | 60
kg/s                    | kg/s         | KGS | mass flow | 3600
g/s                     | g/s          | F29 | mass flow | 3600/1000
t/h                     | t/h          | E18 | mass flow | 1000
kg/m3                   | kg/m3        | KMQ | density | 1
g/cm3                   | g/cm3        | 23  | density | 1000
g/l g/L                 | g/L          | GL  | density | 1
mg/l mg/L               | mg/L         | M1  | density | 1/1000
g/m3                    | g/m3         | A93 | density | 1/1000
mg/m3                   | mg/m3        | GP  | density | 1/1000000
ug/m3                   | ug/m3        | GQ  | density | 1/1000000000
N                       | N            | NEW | force | 1
kN                      | kN           | B47 | force | 1000
MN                      | MN           | B73 | force | 1000000
Nm                      | N.m          | NU  | torque | 1
kNm                     | kN.m         | B48 | torque | 1000
m/s                     | m/s          | MTS | speed | 1
mm/s                    | mm/s         | C16 | speed | 1/1000
m/min                   | m/min        | 2X  | speed | 1/60
mm/min                  | mm/min       | H81 | speed | 1/60000
km/h                    | km/h         | KMH | speed | 1/3.6
m/s2                    | m/s2         | MSK | acceleration | 1
mm/s2                   | mm/s2        | M41 | acceleration | 1/1000
gn                      | [g]          | K40 | acceleration | 9.80665
s                       | s            | SEC | time | 1
ms                      | ms           | C26 | time | 1/1000
us                      | us           | B98 | time | 1/1000000
min                     | min          | MIN | time | 60
h                       | h            | HUR | time | 3600
d                       | d            | DAY | time | 86400
rad                     | rad          | C81 | angle | 1
deg °                   | deg          | DD  | angle | -
%                       | %            | P1  | ratio | 1
ppm                     | [ppm]        | 59  | ratio | 1/10000
ppb                     | [ppb]        | 61  | ratio | 1/10000000
%RH %rH %rF             | %{RH}        | P1  | relative humidity | 1
1                       | 1            | C62 | number | 1
pcs pc Stk              | {piece}      | H87 | pieces | 1
pH                      | [pH]         | Q30 | acidity | 1
dB                      | dB           | 2N  | level | 1
dB(A) dBA               | dB{A}        | 2N  | sound level | 1
lx lux                  | lx           | LUX | illuminance | 1
lm                      | lm           | LUM | luminous flux | 1
cd                      | cd           | CDL | luminous intensity | 1
W/m2                    | W/m2         | D54 | irradiance | 1
W/(m2K)                 | W/(m2.K)     | D55 | heat transfer | 1
J/(kgK)                 | J/(kg.K)     | B11 | specific heat | 1
kJ/kg                   | kJ/kg        | B42 | specific energy | 1
Pas                     | Pa.s         | C65 | dynamic viscosity | 1
mPas cP                 | mPa.s        | C24 | dynamic viscosity | 1/1000
mm2/s cSt               | mm2/s        | C17 | kinematic viscosity | 1
mol                     | mol          | C34 | amount of substance | 1
mol/l mol/L             | mol/L        | C38 | amount concentration | 1
mmol/l mmol/L           | mmol/L       | M33 | amount concentration | 1/1000
uSv/h                   | uSv/h        | P72 | dose rate | 1
mSv/h                   | mSv/h        | P71 | dose rate | 1000
Bq                      | Bq           | BQL | activity | 1
"""
"""One line a unit; a quantity's units convert into each other, and into no others."""
