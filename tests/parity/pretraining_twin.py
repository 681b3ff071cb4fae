"""transformers' network with the weights and sizes of a model of ours, and batches as it wants them: padded."""

import dataclasses

import numpy as np
import torch
import transformers

IGNORED = -100  # the label that PyTorch's cross-entropy leaves out


def transformers_twin(model, attn_implementation="eager"):
    """The same network with the same weights, in the same dtype, with dropout off."""
    config = transformers.BertConfig(**dataclasses.asdict(model.config), attn_implementation=attn_implementation)
    twin = getattr(transformers, model.architecture)(config)
    tensors = {name: torch.from_numpy(value) for name, value in model.state_dict().items()}
    twin = twin.to(next(iter(tensors.values())).dtype)
    missing, unexpected = twin.load_state_dict(tensors, strict=False)
    assert not unexpected
    assert set(missing) <= {"cls.predictions.decoder.weight", "cls.predictions.decoder.bias"}  # tied to what is there
    assert sum(parameter.numel() for parameter in twin.parameters()) == model.num_parameters
    return twin.eval()


def padded(tokens):
    """Packed tokens under the names of transformers' forward, padded to the longest sequence."""
    inputs = {
        "input_ids": tokens.token_ids,
        "token_type_ids": tokens.segment_ids,
        "attention_mask": np.ones_like(tokens.token_ids),
    }
    return {name: torch.from_numpy(tokens.to_padded(rows)) for name, rows in inputs.items()}


def padded_inputs(batch):
    """A pretraining batch, the masked rows as labels, under the names of transformers' forward."""
    labels = np.full(len(batch.tokens.token_ids), IGNORED)
    labels[batch.masked_positions] = batch.masked_ids
    inputs = padded(batch.tokens)
    padded_labels = torch.from_numpy(batch.tokens.to_padded(labels))
    inputs["labels"] = padded_labels.where(inputs["attention_mask"] == 1, IGNORED)
    inputs["next_sentence_label"] = torch.from_numpy(batch.is_random_next)
    return inputs
