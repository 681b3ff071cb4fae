"""The maths: every operation as a pair of pure functions, the backward straight under the forward.

    y, cache = layer_norm_forward(x, gamma, beta, eps)
    dx, dgamma, dbeta = layer_norm_backward(dy, cache)

The gradient of z is called dz and has the shape of z. The cache is a NamedTuple of what the backward needs; it belongs
to the call. The dtype that comes in goes out.

No function changes its arguments. The lines of a function are those of the formula; what makes it fast is under them:
blocks.py (rows in blocks that stay in fast memory), sums.py, normal_cdf.py, and helpers with a leading underscore.

Letters: N rows (tokens), S sequences, T tokens of a sequence, H hidden size, A heads, D = H / A, F feed-forward size,
V vocabulary, M masked rows or the rows of another source, U keys of a sequence.
"""
