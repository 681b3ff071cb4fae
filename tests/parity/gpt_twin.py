"""transformers' GPT-2 with the weights and sizes of a model of ours."""

import json

import torch
import transformers
from torch.nn.functional import cross_entropy

from minitransformer.interop.config_file import CONFIG_FILE


def transformers_gpt(model, attn_implementation="eager"):
    """The same network with the same weights, in the same dtype, with dropout off."""
    settings = json.loads(model.texts()[CONFIG_FILE])
    config = transformers.GPT2Config(**settings, attn_implementation=attn_implementation)
    twin = transformers.GPT2LMHeadModel(config)
    tensors = {name: torch.from_numpy(value) for name, value in model.state_dict().items()}
    twin = twin.to(next(iter(tensors.values())).dtype)
    missing, unexpected = twin.load_state_dict(tensors, strict=False)
    assert not unexpected
    assert set(missing) <= {"lm_head.weight"}  # tied to what is there
    assert sum(parameter.numel() for parameter in twin.parameters()) == model.num_parameters
    return twin.eval()


def logits_and_loss(twin, tokens):
    """The logits (N, V) of packed tokens, which go in padded, and the mean next-token loss.

    transformers has the loss as well, but computes it in float32 whatever the model's dtype is.
    """
    ids = torch.from_numpy(tokens.to_padded(tokens.token_ids))
    is_token = torch.from_numpy(tokens.to_padded(tokens.token_ids * 0 + 1)) == 1
    logits = twin(input_ids=ids, attention_mask=is_token.long()).logits
    is_followed = is_token[:, 1:]
    return logits[is_token], cross_entropy(logits[:, :-1][is_followed], ids[:, 1:][is_followed])
