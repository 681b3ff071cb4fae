"""BERT's two tasks on one pair: what it puts in place of the masks, and whether the second text follows the first.

The model and its four pairs are those of docs/pretraining.md, after STEPS steps of plain gradient descent.
"""

import math

import numpy as np

from minitransformer import BertConfig, BertForPreTraining, BertTokenizer, PackedTokens, PretrainingBatch
from minitransformer.inference.fill_mask import fill_mask
from minitransformer.ops.softmax import softmax_forward
from minitransformer.pictures.colours import KINDS
from minitransformer.pictures.diagram import EDGE, STEP, Frame, arrow, framed
from minitransformer.pictures.drawing import Drawing, moved, svg, titled, width_of, words
from minitransformer.pictures.elements import element

STEPS, LEARNING_RATE, TOP = 70, 0.1, 4
TEXTS = ["i love to hike", "my dog is cute", "the hills are quiet today", "he likes playing"]
NEXT = ["the hills are quiet today", "he likes playing", "my dog is cute", "i love to hike"]
IS_RANDOM_NEXT = [0, 0, 1, 1]
MASKED = np.array([2, 8, 14, 21, 25, 30, 36, 42])
ANSWERS = ["b follows a", "b is a random text"]
BAR, BAR_ROW = 70, 18


def data():
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = "i love to hike the hills are quiet today my dog is cute he likes play ##ing"
    tokenizer = BertTokenizer.from_vocabulary([*special, *vocabulary.split()])
    batch = hide(tokenizer(TEXTS, pairs=NEXT), tokenizer.mask_token_id)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    config = BertConfig(vocab_size=tokenizer.vocab_size, **sizes, initializer_range=0.1)
    model = BertForPreTraining(config, seed=0, dtype=np.float64)
    for _ in range(STEPS):
        _, cache = model.forward(batch)
        model.zero_grad()
        model.backward(cache)
        model.storage.values -= LEARNING_RATE * model.storage.gradients
    fillings = fill_mask(model, batch.tokens, tokenizer.mask_token_id, TOP)
    _, nsp_logits = model(batch.tokens)
    first = slice(0, batch.tokens.lengths[0])
    masked = [row for row in MASKED.tolist() if row < first.stop]
    return {
        "tokens": tokenizer.convert_ids_to_tokens(batch.tokens.token_ids[first]),
        "masked": masked,
        "were": tokenizer.convert_ids_to_tokens(batch.masked_ids[: len(masked)]),
        "fillings": [
            [[*tokenizer.convert_ids_to_tokens([token_id]), probability] for token_id, probability in of_mask]
            for of_mask in fillings[: len(masked)]
        ],
        "next": softmax_forward(nsp_logits)[0][0].tolist(),
    }


def hide(tokens, mask_token_id):
    """The batch whose rows MASKED are to be predicted."""
    token_ids = tokens.token_ids.copy()
    token_ids[MASKED] = mask_token_id
    masked = PackedTokens(token_ids, tokens.segment_ids, tokens.position_ids, tokens.lengths)
    return PretrainingBatch(masked, MASKED, tokens.token_ids[MASKED], IS_RANDOM_NEXT)


def draw(data):
    places, x = [], 0.0
    for token in data["tokens"]:
        places.append(Frame(x, 0, width_of(token) + EDGE, 32))
        x += places[-1].width + EDGE / 2
    bert = Frame(0, 32 + STEP, x - EDGE / 2, 32)
    into = [arrow([place.bottom, (place.bottom[0], bert.y)]) for place in places]
    answers, height = answers_of(data), 0.0
    parts, left, top = [framed(["BERT"], bert), *into], 0.0, bert.bottom[1] + 2 * STEP
    for number, (row, answer) in enumerate(zip([0, *data["masked"]], answers, strict=True)):
        (start, _), end = places[row].bottom, left + answer.width / 2
        turn = bert.bottom[1] + STEP * (1.5 - number / 2)
        parts.append(arrow([(start, bert.bottom[1]), (start, turn), (end, turn), (end, top)]))
        parts.append(moved(answer, left, top + 4))
        left, height = left + answer.width + STEP, max(height, answer.height)
    tokens = [
        framed([token], place, KINDS[5 if token == "[MASK]" else 0])
        for token, place in zip(data["tokens"], places, strict=True)
    ]
    predictions = " and ".join(f"“{word}” with {share:.2f}" for [[word, share], *_] in data["fillings"])
    return svg(
        Drawing(element("g", *tokens, *parts), max(bert.width, left - STEP), top + 4 + height),
        "BERT's two tasks",
        f"After {STEPS} steps on four pairs the model fills the masks with {predictions}, and says with "
        f"{data['next'][0]:.2f} that the second text follows the first. The loss of each answer is -ln of what the "
        "right one gets, the filled bar.",
        data,
    )


def answers_of(data):
    """The bars of the pair and of each mask."""
    yield bars("[CLS], pooled: 0 or 1?", [*zip(ANSWERS, data["next"], strict=True)], ANSWERS[IS_RANDOM_NEXT[0]])
    for row, fillings, word in zip(data["masked"], data["fillings"], data["were"], strict=True):
        yield bars(f"row {row}: which token?", fillings, word)


def bars(title, shares, right):
    """A bar for each answer; the right one is filled."""
    parts, left = [], max(width_of(name) for name, _ in shares) + 6
    for number, (name, share) in enumerate(shares):
        y = number * BAR_ROW
        style = {"fill": KINDS[0]} if name == right else {"fill": "none", "stroke": KINDS[0], "stroke_width": 1.5}
        loss = f", loss {-math.log(share):.2f}" if name == right else ""
        parts += [
            words(name, left - 6, y + BAR_ROW / 2, text_anchor="end", dominant_baseline="central"),
            element("rect", x=left, y=y + 3, width=BAR * share, height=BAR_ROW - 6, **style),
            words(f"{share:.2f}{loss}", left + BAR * share + 6, y + BAR_ROW / 2, dominant_baseline="central"),
        ]
    return titled(
        title, Drawing(element("g", *parts), left + BAR + 6 + width_of("0.00, loss 0.00"), len(shares) * BAR_ROW)
    )
