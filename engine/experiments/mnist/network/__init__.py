"""The network of Section 5: its parameters, gradients, Hessian products and measures."""
