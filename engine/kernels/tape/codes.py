"""The operations of a tape as numbers that kernels branch on.

They are those of `engine.expressions.functions.Op`, as a test compares; written out here, they
are part of what compiled kernels are keyed on.
"""

SPREAD = 0
ADD = 1
SUB = 2
MUL = 3
MAX = 4
MIN = 5
POWER = 6
NEG = 7
SQUARE = 8
RECIP = 9
SQRT = 10
EXP = 11
LOG = 12
SIN = 13
COS = 14
TAN = 15
ATAN = 16
SINH = 17
COSH = 18
TANH = 19
SIGMOID = 20
SOFTPLUS = 21
LOGCOSH = 22
ABS = 23
RELU = 24
