import pytest
from tokenizers import Tokenizer, models, processors

from minitransformer.errors import UserError
from minitransformer.text.sequence_format import SequenceFormat, read_format

VOCABULARY = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3}


def backend(post_processor=None, vocabulary=VOCABULARY):
    made = Tokenizer(models.WordLevel(vocabulary, "[UNK]"))
    if post_processor is not None:
        made.post_processor = post_processor
    return made


def template(single, pair):
    return processors.TemplateProcessing(single=single, pair=pair, special_tokens=[("[CLS]", 1), ("[SEP]", 2)])


BERT = template("[CLS]:0 $A:0 [SEP]:0", "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1")


@pytest.mark.parametrize(
    ("post_processor", "expected"),
    [
        (BERT, SequenceFormat([1], [2], [2], 1)),
        (processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1)), SequenceFormat([1], [2], [2], 1)),
        (processors.RobertaProcessing(("[SEP]", 2), ("[CLS]", 1)), SequenceFormat([1], [2, 2], [2], 0)),
        (template("[CLS]:0 $A:0", "[CLS]:0 $A:0 $B:1"), SequenceFormat([1], [], [], 1)),
        (None, SequenceFormat([], [], [], 1)),
    ],
)
def test_a_format_is_what_the_post_processor_does(post_processor, expected):
    assert read_format(backend(post_processor), has_segments=True) == expected


def test_a_model_that_is_not_told_of_segments_has_one():
    assert read_format(backend(BERT), has_segments=False).second_segment == 0


def test_texts_and_pairs_get_their_tokens_and_segments():
    around = SequenceFormat([1], [2, 2], [2], 1)
    assert around.around_one([5, 6]) == [1, 5, 6, 2]
    assert around.around_two([5], [6, 7]) == ([1, 5, 2, 2, 6, 7, 2], [0, 0, 0, 0, 1, 1, 1])
    assert (around.num_around_one, around.num_around_two) == (2, 4)


def test_other_formats_and_vocabularies_without_tokens_are_refused():
    turned = template("[CLS]:0 $A:0 [SEP]:0", "[CLS]:0 $B:1 [SEP]:1 $A:0 [SEP]:0")
    with pytest.raises(UserError, match="post-processor puts other things around texts"):
        read_format(backend(turned), has_segments=True)
    with pytest.raises(UserError, match="makes no tokens of any text"):
        read_format(Tokenizer(models.BPE()), has_segments=True)
