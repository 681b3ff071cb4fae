"""Layers: they own arrays and names, and wire the operations of ops/ together.

A batch of S sentences is N rows, x (N, H): the tokens of the first, under them those of the second, without padding.
`lengths` (S,) says how many rows each sentence has. Only attention and pooling use it; all else is done to each row for
itself. Letters: H hidden size, F feed-forward size, V vocabulary, M masked rows.

A layer's forward returns (y, cache); its backward takes dy and that cache, adds the gradients of its parameters to
their `grad` and returns dx. All that belongs to one call is in the cache, so one layer can be called twice before
either backward (siamese towers), or by two threads at a time (each with a replica of the layer).
Calling the layer itself, layer(x), is inference: no cache, no dropout. Parameters have values once
initialise() of the layer or model that they belong to was called (nn/module.py).

Memory is used again where that is safe: `x += ...`, out=x and overwrite_x write over an array that the same forward or
backward has just made and that no cache needs. first_grad() is the same for gradients (nn/parameter.py).
"""
