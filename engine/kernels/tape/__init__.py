"""Running straight-line programs: values, gradients and derivatives to fourth order."""
