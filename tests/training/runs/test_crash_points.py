"""Runs whose power fails before a change of the file system, whichever that is: what is there then can be resumed.

A dozen of the changes are tried here, with EVERY_CHANGE=1 in the environment all of them (some minutes).
"""

import os
import shutil

import pytest

from minitransformer.errors import UserError
from minitransformer.models.sentence_encoder import SentenceEncoder
from minitransformer.models.sentence_encoder_settings import DenseSettings, SentenceEncoderSettings
from minitransformer.training import checkpoint
from minitransformer.training.runs.classification import ClassificationRun
from minitransformer.training.runs.gpt_pretraining import GptPretrainingRun
from minitransformer.training.runs.pretraining import PretrainingRun, PretrainingSettings
from minitransformer.training.runs.run import is_finished
from minitransformer.training.runs.sentences import SentencesRun
from minitransformer.training.runs.towers import TowersRun
from minitransformer.training.runs.translation import TranslationRun
from tests.cli.conftest import small_text
from tests.power_cut import power_cut_before
from tests.small_encoders import POSITIONS, TOKENIZER
from tests.small_models import small_config
from tests.training.fine_tuning_runs import classification_settings, sentences_settings
from tests.training.runs.test_gpt_pretraining import settings as gpt_settings
from tests.training.runs.test_translation import settings as translation_settings
from tests.training.small_towers import towers_settings
from tests.training.test_loop import timeless

pytestmark = pytest.mark.filterwarnings("ignore")
TRIED = 12
SHORT = {"epochs": 1, "batch_size": 12}


def sentences(folder):
    """From a base with a dense layer, whose weights are in a folder and file of their own, to one with a classifier."""
    config = small_config(vocab_size=TOKENIZER.vocab_size, max_position_embeddings=POSITIONS)
    settings = SentenceEncoderSettings(head=(DenseSettings(12, 6, "tanh"),))
    SentenceEncoder(config, TOKENIZER, settings).save_pretrained(folder / "dense")
    model = {"model": str(folder / "dense")}
    return SentencesRun, sentences_settings(folder, "labelled_pairs", "classification", **model, **SHORT)


def classification(folder):
    return ClassificationRun, classification_settings(folder, **SHORT)


def pretraining(folder, **changes):
    (folder / "text.txt").write_text(small_text(num_documents=30))
    sizes = {"vocab_size": 140, "batch_size": 8, "max_length": 24, "held_out_pairs": 8, "steps": 2, "save_every": 1}
    return PretrainingRun, PretrainingSettings(corpus=[str(folder / "text.txt")], **sizes, **changes)


def masked_words(folder):
    return pretraining(folder, next_sentence=False)


def adapter(folder):
    return ClassificationRun, classification_settings(folder, lora=2, **SHORT)


def gpt(folder):
    return GptPretrainingRun, gpt_settings(folder, steps=2, save_every=1)


def translation(folder):
    return TranslationRun, translation_settings(folder, epochs=1, batch_size=12)


def mean_of_translators(folder):
    return TranslationRun, translation_settings(folder, epochs=2, batch_size=24, averaged=2)


def towers(folder):
    return TowersRun, towers_settings(folder, warm_up_epochs=1, cascade_epochs=1)


RUNS = {
    "train-sbert": sentences,
    "finetune": classification,
    "finetune --lora": adapter,
    "pretrain": pretraining,
    "pretrain --no-next-sentence": masked_words,
    "pretrain-gpt": gpt,
    "train-seq2seq": translation,
    "train-seq2seq --averaged": mean_of_translators,
    "train-towers": towers,
}


def start_or_resume(run_type, settings, folder):
    """As the messages of the commands say."""
    if not (folder / "training/settings.json").exists():
        return run_type.start(folder, settings)
    return run_type.resume(folder)


def files_of(folder):
    """What is in a finished folder, but for the times of its metrics."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(folder)): timeless(path) if path.name == "metrics.jsonl" else path.read_bytes()
        for path in paths
    }


@pytest.mark.parametrize("name", RUNS)
def test_a_run_whose_power_fails_before_any_change_is_resumed_to_the_same_bytes(tmp_path, monkeypatch, name):
    monkeypatch.setattr(checkpoint, "flush_to_disk", lambda folder: None)
    run_type, settings = RUNS[name](tmp_path)
    with power_cut_before(None) as power:
        run_type.start(tmp_path / "whole", settings).train(workers=1)
    expected, changes = files_of(tmp_path / "whole"), power.changes
    assert changes > 50
    for change in range(0, changes, int(os.environ.get("EVERY_CHANGE", -(-changes // TRIED)))):
        folder = tmp_path / "cut"
        with power_cut_before(change):
            run_type.start(folder, settings).train(workers=1)
        if is_finished(folder):
            with pytest.raises(UserError, match="is finished: there is nothing to resume"):
                run_type.resume(folder)
        else:
            start_or_resume(run_type, settings, folder).train(workers=1)
        assert files_of(folder) == expected, f"cut before change {change} of {changes}"
        shutil.rmtree(folder)
