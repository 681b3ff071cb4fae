"""config.json: the settings of a Hugging Face folder."""

from pathlib import Path

from minitransformer.errors import UserError
from minitransformer.files import is_there
from minitransformer.settings_file import SettingsFile

CONFIG_FILE = "config.json"

# Hugging Face's names of activation functions, and ours (nn/activation.py).
ACTIVATION_NAMES = {
    **{"gelu": "gelu", "gelu_python": "gelu", "gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh"},
    **{"gelu_fast": "gelu_tanh", "gelu_accurate": "gelu_tanh", "relu": "relu", "relu6": "relu6", "tanh": "tanh"},
    **{"silu": "silu", "swish": "silu", "mish": "mish", "sigmoid": "sigmoid", "leaky_relu": "leaky_relu"},
}

# What a config.json of any family may hold, and what changes no answer of its encoder.
HARMLESS = {
    # where it comes from, and what for
    *("_name_or_path", "name_or_path", "_commit_hash", "architectures", "model_type", "transformers_version", "name"),
    *("finetuning_task", "task_specific_params", "tokenizer_class", "language", "license", "auto_map", "vocab_file"),
    # how others compute it: precision, memory, what they return
    *("dtype", "torch_dtype", "torchscript", "use_bfloat16", "xla_device", "use_cache", "gradient_checkpointing"),
    *("attn_implementation", "_attn_implementation", "_attn_implementation_autoset", "_experts_implementation"),
    *("output_attentions", "output_hidden_states", "output_past", "return_dict", "chunk_size_feed_forward"),
    *("tie_encoder_decoder", "tie_word_embeddings", "tf_legacy_loss", "cross_attention_hidden_size", "tie_weights_"),
    # ids of tokens, for those who pad or generate
    *("pad_token_id", "bos_token_id", "eos_token_id", "sep_token_id", "cls_token_id", "mask_token_id", "unk_token_id"),
    *("decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id", "prefix", "bad_words_ids"),
    # how text is generated
    *("max_length", "min_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups", "diversity_penalty"),
    *("temperature", "top_k", "top_p", "typical_p", "repetition_penalty", "length_penalty", "no_repeat_ngram_size"),
    *("encoder_no_repeat_ngram_size", "num_return_sequences", "output_scores", "return_dict_in_generate"),
    *("remove_invalid_values", "exponential_decay_length_penalty", "suppress_tokens", "begin_suppress_tokens"),
    # training, and heads, which read these themselves (interop/classifier_entries.py)
    *("initializer_range", "initializer_factor", "label_smoothing", "classifier_dropout", "summary_type"),
    *("summary_use_proj", "summary_activation", "summary_first_dropout", "summary_last_dropout"),
    *("summary_proj_to_labels", "id2label", "label2id", "num_labels", "_num_labels", "problem_type"),
    *("sentence_transformers", "sbert_ce_default_activation_function"),
    *("classifier_pooling", "classifier_hidden_sizes", "classifier_texts"),
    # of an old pooler that was never used, and of other languages' BERTs
    *("directionality", "pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers", "pooler_size_per_head"),
    *("pooler_type", "embedding_size", "model_max_length"),
}


def read_config_file(folder: Path) -> SettingsFile:
    """The settings in the folder's config.json. Raises UserError if it is missing or broken."""
    file = folder / CONFIG_FILE
    if not is_there(file):
        raise UserError(f"{folder} has no {CONFIG_FILE}; a model folder holds {CONFIG_FILE} and model.safetensors")
    return SettingsFile.read(file)
