"""The numerical engine: gradient-descent dynamics, their theory, their pictures as data."""

import os

# Matrices here are small: a second thread of BLAS costs more than it brings, and takes the core
# that draws the window. Training runs a thread per core of its own, each of which calls the BLAS,
# and how that splits a product decides the last bits of it. So a user's setting for other programs
# must not count here. Read once, when numpy is imported, so it is set before any module is.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
