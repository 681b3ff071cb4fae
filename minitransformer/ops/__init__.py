"""The maths: every operation as a pair of pure functions, the backward straight under the forward.

    y, cache = layer_norm_forward(x, gamma, beta, eps)
    dx, dgamma, dbeta = layer_norm_backward(dy, cache)

The gradient of z is called dz and has the shape of z. The cache is a NamedTuple of what the backward needs; it belongs
to the call. No function changes its arguments. The dtype that comes in goes out.

Letters: N rows (tokens), S sentences, T tokens of a sentence, H hidden size, A heads, D = H / A, F feed-forward size,
V vocabulary, M masked rows.
"""
