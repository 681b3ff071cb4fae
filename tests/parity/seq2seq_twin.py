"""transformers' MarianMTModel with the weights and sizes of a model of ours."""

import json

import torch
import transformers
from torch.nn.functional import cross_entropy

from minitransformer.interop.config_file import CONFIG_FILE
from minitransformer.nn.sinusoidal_embeddings import sinusoids


def transformers_seq2seq(model, attn_implementation="eager"):
    """The same network with the same weights, in the same dtype, with dropout off.

    transformers makes its sinusoids in float32 whatever the model's dtype is; here they are as exact as the weights.
    """
    settings = json.loads(model.texts()[CONFIG_FILE])
    twin = transformers.MarianMTModel(transformers.MarianConfig(**settings, attn_implementation=attn_implementation))
    tensors = {name: torch.from_numpy(value) for name, value in model.state_dict().items()}
    twin = twin.to(next(iter(tensors.values())).dtype)
    missing, unexpected = twin.load_state_dict(tensors, strict=False)
    assert not unexpected
    assert all("embed_tokens" in name or "embed_positions" in name or name == "lm_head.weight" for name in missing)
    for side in (twin.model.encoder, twin.model.decoder):
        waves = torch.from_numpy(sinusoids(torch.arange(len(side.embed_positions.weight)).numpy(), model.hidden_size))
        side.embed_positions.weight.data = waves.to(twin.dtype)
    return twin.eval()


def logits_and_loss(twin, sources, targets):
    """The logits (N, V) of packed targets, which go in padded, and the mean smoothed loss of PyTorch."""
    ids, mask = padded(sources)
    labels, is_token = padded(targets)
    labels = labels.masked_fill(is_token == 0, -100)
    logits = twin(input_ids=ids, attention_mask=mask, labels=labels).logits[is_token == 1]
    return logits, cross_entropy(logits, labels[is_token == 1], label_smoothing=twin.config.label_smoothing)


def padded(tokens):
    ids = torch.from_numpy(tokens.to_padded(tokens.token_ids))
    return ids, torch.from_numpy(tokens.to_padded(tokens.token_ids * 0 + 1))
