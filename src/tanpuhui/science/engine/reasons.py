"""The engine's own reasons why a record does not count (理由代码); all others are codes of a methodology.

What a reason is about follows after a colon: a field, `<group>.<field>`, a parameter, a column or a group.
"""

FIELD_MISSING = "FIELD_MISSING"
OUT_OF_BOUNDS = "OUT_OF_BOUNDS"
TOO_MANY_PLACES = "TOO_MANY_PLACES"
ROWS_OUT_OF_BOUNDS = "ROWS_OUT_OF_BOUNDS"
ROW_REPEATED = "ROW_REPEATED"
PARAMETER_UNSET = "PARAMETER_UNSET"
TABLE_VALUE_UNSET = "TABLE_VALUE_UNSET"
SERIES_GAP = "SERIES_GAP"
NO_CALCULATION = "NO_CALCULATION"
POINTS_ONLY = "POINTS_ONLY"
EXCLUDED = "EXCLUDED"
GRANTED = "granted"  # what OUT_OF_BOUNDS and TOO_MANY_PLACES are about when the cap's allowance is at fault
