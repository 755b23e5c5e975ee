"""Maps: what happens for every value of a parameter, or of two, or for every start in a plane."""
