"""The numerical engine: gradient-descent dynamics, their theory, their pictures as data."""

import os

# Matrices here are small: a second thread of BLAS costs more than it brings, and takes the core
# that draws the window. Read once, when numpy is imported, so it is set before any module is.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
