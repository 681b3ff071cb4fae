"""Layers: they own arrays and names, and wire the operations of ops/ together.

A batch of S sequences is N rows, x (N, H): the tokens of the first, under them those of the second, without padding.
`lengths` (S,) says how many rows each sequence has. Only attention and pooling use it; all else goes row by row.

A layer's forward returns (y, cache); its backward takes dy and that cache, adds the gradients of its parameters to
their `grad` and returns dx. All that belongs to one call is in the cache, so one layer can be called twice before
either backward (siamese towers). Calling the layer itself, layer(x), is inference: no cache, no dropout.
"""
