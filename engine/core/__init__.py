"""What the rest of the engine is written in: parameters, arrays, views, claims, the contract."""
