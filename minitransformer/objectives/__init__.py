"""What sentence embeddings are trained for: each objective is one number for a batch of embeddings, and its gradient.

    loss, cache = objective.forward(embeddings, targets)      embeddings: a tuple of (S, H) arrays, one for each text
    d_embeddings = objective.backward(cache)                  a tuple of the same shapes

Row i of each array belongs to example i, so a pair (u, v) is two arrays and a triplet three. The loss is the mean over
the batch unless the objective says otherwise. All texts of an example go through one encoder, so its weights get the
sum of the gradients of all of them: encode them as one batch of 2 S sequences, or call the encoder twice.

    classification      pairs with a class     softmax(W (u, v, |u - v|))
    regression          pairs with a score     squared error of the cosine
    cosent              pairs with a score     the order of the cosines
    triplet             triplets               Euclidean distances, with a margin
    ranking             pairs or triplets      each anchor finds its positive among the batch's
    in_batch_negatives  queries and products   yes to one's own product, no to those of the others
    two_way_softmax     queries and products   each query finds its product, and each product its query
"""
