import errno

import numpy as np
import pytest

from minitransformer.corpora.text_files import TextFiles
from minitransformer.corpora.token_stream import TokenStream
from minitransformer.errors import UserError
from minitransformer.text.byte_pair_tokenizer import BytePairTokenizer
from minitransformer.text.character_tokenizer import CharacterTokenizer

BLOCKS = ["to be", " or not", "", "to be.\n", ""]
TOKENIZER = CharacterTokenizer.train(BLOCKS)
EOS = TOKENIZER.eos_token_id


def test_documents_stand_one_after_the_other_each_with_its_end(tmp_path):
    built = TokenStream.build(BLOCKS, TOKENIZER, tmp_path / "text")
    expected = [*TOKENIZER.encode("to be or not"), EOS, *TOKENIZER.encode("to be.\n"), EOS]
    assert built.token_ids.tolist() == TokenStream.open(tmp_path / "text").token_ids.tolist() == expected
    assert isinstance(built.token_ids, np.memmap)
    assert built.token_ids.dtype == np.uint16


def test_the_fingerprint_tells_texts_apart(tmp_path):
    texts = [BLOCKS, ["to be", ""], ["to", "", "be", ""]]
    fingerprints = {TokenStream.build(text, TOKENIZER, tmp_path / "text").fingerprint for text in texts}
    assert len(fingerprints) == 3
    again = TokenStream.build(["to be", " or", " not", "", "to be.\n", ""], TOKENIZER, tmp_path / "text")
    assert again.fingerprint in fingerprints


def test_a_file_in_blocks_has_the_ids_of_its_text(tmp_path, monkeypatch):
    text = "The cat  sat\n\n on the mat, isn't it?\n \n" * 20
    (tmp_path / "cat.txt").write_text(text)
    tokenizer = BytePairTokenizer.train(text, 270)
    for length in (10, 50, 10**6):
        monkeypatch.setattr("minitransformer.corpora.text_files.MAX_BLOCK_LENGTH", length)
        stream = TokenStream.build(TextFiles([tmp_path / "cat.txt"]).running_text(), tokenizer, tmp_path / "text")
        assert stream.token_ids.tolist() == [*tokenizer.encode(text), tokenizer.eos_token_id]


def test_the_end_is_held_out_and_begins_with_the_last_token_before_it(tmp_path):
    stream = TokenStream.build(["to be or not to be" * 10], TOKENIZER, tmp_path / "text")
    training, held_out = stream.split(0.1)
    assert len(training) == 162
    assert held_out.tolist() == stream.token_ids[161:].tolist()


def test_too_few_tokens_for_two_parts_are_refused(tmp_path):
    stream = TokenStream.build(["t"], TOKENIZER, tmp_path / "text")
    with pytest.raises(UserError, match="corpus has 1 tokens, too few to hold 10% of them out"):
        stream.split(0.1)


def test_a_build_that_fails_leaves_the_old_one_and_no_rest(tmp_path):
    old = TokenStream.build(BLOCKS, TOKENIZER, tmp_path / "text").fingerprint

    def full_disk():
        yield "to be"
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(UserError, match="can't be written: No space left on device"):
        TokenStream.build(full_disk(), TOKENIZER, tmp_path / "text")
    with pytest.raises(UserError, match="'x'"):
        TokenStream.build(["to be", "x"], TOKENIZER, tmp_path / "text")
    with pytest.raises(UserError, match="holds no text"):
        TokenStream.build([], TOKENIZER, tmp_path / "text")
    assert TokenStream.open(tmp_path / "text").fingerprint == old
    assert [path.name for path in tmp_path.iterdir()] == ["text"]


def test_a_damaged_folder_is_refused_by_name(tmp_path):
    TokenStream.build(BLOCKS, TOKENIZER, tmp_path / "text")
    content = (tmp_path / "text" / "token_ids.bin").read_bytes()
    (tmp_path / "text" / "token_ids.bin").write_bytes(content[:-1])
    with pytest.raises(UserError, match=r"token_ids\.bin is damaged: it has 41 bytes, expected 42"):
        TokenStream.open(tmp_path / "text")
    (tmp_path / "text" / "corpus.json").write_text("{}")
    with pytest.raises(UserError, match="not the description of a tokenised corpus: it lacks token_dtype"):
        TokenStream.open(tmp_path / "text")
