"""transformers' BertForPreTraining with a model's weights and sizes, and a batch as it wants it."""

import dataclasses

import numpy as np
import torch
import transformers

IGNORED = -100  # the label that PyTorch's cross-entropy leaves out


def transformers_twin(model):
    """The same network with the same weights, in the same dtype, with dropout off."""
    config = transformers.BertConfig(**dataclasses.asdict(model.config), attn_implementation="eager")
    twin = transformers.BertForPreTraining(config)
    tensors = {name: torch.from_numpy(value) for name, value in model.state_dict().items()}
    twin = twin.to(next(iter(tensors.values())).dtype)
    missing, unexpected = twin.load_state_dict(tensors, strict=False)
    assert not unexpected
    assert set(missing) <= {"cls.predictions.decoder.weight", "cls.predictions.decoder.bias"}  # tied to what is there
    assert sum(parameter.numel() for parameter in twin.parameters()) == model.num_parameters
    return twin.eval()


def padded_inputs(batch):
    """The batch as padded arrays, the masked rows as labels, under the names of transformers' forward."""
    tokens = batch.tokens
    labels = np.full(len(tokens.token_ids), IGNORED)
    labels[batch.masked_positions] = batch.masked_ids
    attention_mask = tokens.to_padded(np.ones(len(labels), int))
    padded_labels = np.where(attention_mask == 1, tokens.to_padded(labels), IGNORED)
    inputs = {
        "input_ids": tokens.to_padded(tokens.token_ids),
        "token_type_ids": tokens.to_padded(tokens.segment_ids),
        "attention_mask": attention_mask,
        "labels": padded_labels,
        "next_sentence_label": batch.is_random_next,
    }
    return {name: torch.from_numpy(array) for name, array in inputs.items()}
