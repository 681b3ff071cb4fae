"""Layers: they own arrays and names, and wire the operations of ops/ together.

A layer's forward returns (y, cache); its backward takes dy and that cache, adds the gradients of its parameters to
their `grad` and returns dx. All that belongs to one call is in the cache, so one layer can be called twice before
either backward (siamese towers), or by two threads at a time (each with a replica of the layer).
Calling the layer itself, layer(x), is inference: no cache, no dropout.
"""
