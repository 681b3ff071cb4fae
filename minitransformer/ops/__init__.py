"""The maths: every operation as a pair of pure functions, the backward straight under the forward.

    y, cache = layer_norm_forward(x, gamma, beta, eps)
    dx, dgamma, dbeta = layer_norm_backward(dy, cache)

The gradient of z is called dz and has the shape of z. The cache is a NamedTuple of what the backward needs; it belongs
to the call. The dtype that comes in goes out.

No function changes its arguments unless it is told to, for speed: `out` names the array to write the result to, which
in element-wise operations may be the argument itself, and overwrite_x gives x away.

Letters: N rows (tokens), S sentences, T tokens of a sentence, H hidden size, A heads, D = H / A, F feed-forward size,
V vocabulary, M masked rows.
"""
