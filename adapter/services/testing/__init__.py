"""`careplan pack test`: the examples of a pack both ways, and the laws on them."""
