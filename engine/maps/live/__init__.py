"""Maps in the making, for who looks on."""
