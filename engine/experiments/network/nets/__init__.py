"""The networks: their parts, their start, gradients, products of the Hessian."""
