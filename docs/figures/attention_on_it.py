"""The lecture's "it": what two heads of all-MiniLM-L6-v2 make of it, with "tired" and with "wide".

python -m scripts.figures attention_on_it all-MiniLM-L6-v2      draws it from that model's folder
"""

import numpy as np

from minitransformer import SentenceEncoder
from minitransformer.inference.attention_maps import attention_maps
from minitransformer.pictures.drawing import svg, titled, under
from minitransformer.pictures.heat_map import heat_map

TEXT = "The animal didn't cross the street because it was too "
HEADS = [(3, 1), (5, 11)]


def data(folder):
    encoder = SentenceEncoder.from_pretrained(folder)
    found = []
    for word in ("tired", "wide"):
        tokens = encoder.tokenizer(TEXT + word)
        names = encoder.tokenizer.convert_ids_to_tokens(tokens.token_ids)
        maps, query = attention_maps(encoder.encoder, tokens), names.index("it")
        for layer, head in HEADS:
            rows = [maps.weights[layer, head, query], maps.others[layer, head, query]]
            found.append({"tokens": names, "layer": layer, "head": head, "rows": np.array(rows).tolist()})
    return {"heads": found}


def draw(data):
    def strip(part):
        title = f"layer {part['layer']}, head {part['head']}: “{part['tokens'][-2]}”"
        return titled(title, heat_map(np.array(part["rows"]), ["it", "others"], part["tokens"]))

    tired, crowd, wide = (
        [100 * row[part["tokens"].index("animal")] for row in part["rows"]] for part in data["heads"][:3]
    )
    return svg(
        under([strip(data["heads"][i]) for i in (0, 2, 1, 3)], gap=8),
        "What “it” looks at",
        f"In layer 3, head 1, “it” gives “animal” {tired[0]:.0f} % and the other tokens give it {tired[1]:.0f} % on "
        f"average; with “wide” for “tired” it is {wide[0]:.0f} %. In layer 5, head 11, “it” gives it {crowd[0]:.0f} %, "
        f"but the others give it {crowd[1]:.0f} %, too.",
        data,
    )
