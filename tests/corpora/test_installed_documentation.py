import sys
from collections import Counter
from pathlib import Path

import pytest

from minitransformer.corpora import installed_documentation
from minitransformer.corpora.installed_documentation import InstalledDocumentation, docstrings_of
from minitransformer.errors import UserError

SOURCE = '''
"""The docstring of the module is the first of all."""
add_newdoc("numpy", "thing", """The docstring of a thing is added to it.""")
class A:
    """The docstring of the class is the second one."""
    if True:
        def f(self):
            """The docstring of the method is the third."""
            text = "This is a string and no docstring."
def g():
    pass
'''


@pytest.fixture(scope="module")
def few_files():
    """The documentation of one folder of the standard library, which is quick to read."""
    folder = Path(sys.modules["json"].__file__).parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(installed_documentation, "source_files", lambda: sorted(folder.glob("*.py")))
        documentation = InstalledDocumentation()
        assert documentation.documents
    return documentation


def test_docstrings_of_modules_classes_methods_and_add_newdoc_are_found():
    import ast

    assert [text for text in docstrings_of(ast.parse(SOURCE)) if "docstring" in text] == [
        "The docstring of the module is the first of all.",
        "The docstring of a thing is added to it.",
        "The docstring of the class is the second one.",
        "The docstring of the method is the third.",
    ]


def test_the_source_files_are_those_of_python_numpy_and_scipy_without_tests():
    files = list(installed_documentation.source_files())
    names = {"/".join(file.parts[-3:]) for file in files}
    assert any(name.endswith("json/decoder.py") for name in names)
    assert any(name.endswith("numpy/ma/core.py") for name in names)
    assert any(name.endswith("scipy/optimize/_minimize.py") for name in names)
    assert not any("tests" in file.parts for file in files)
    assert len(files) == len(set(files))


def test_the_documents_are_prose_of_two_sentences_or_more(few_files):
    documents = few_files.documents
    assert len(documents) > 50
    assert all(len(document) >= 2 for document in documents)
    assert all(s[0].isupper() and s[-1] in ".!?" and len(s.split()) >= 4 for d in documents for s in d)
    words = Counter(word for document in documents for sentence in document for word in sentence.lower().split())
    assert words.most_common(1)[0][0] == "the"


def test_nothing_is_said_twice(few_files):
    sentences = [sentence for sentence in few_files if sentence]
    assert len(sentences) == len(set(sentences))


def test_it_is_a_corpus_that_can_be_read_again_and_knows_its_size(few_files):
    sentences = list(few_files)
    assert sentences == list(few_files)
    assert sentences.count("") == len(few_files.documents)
    assert few_files.num_bytes == len("\n".join([*sentences, ""]).encode())


def test_its_running_text_has_a_sentence_on_each_line(few_files):
    blocks = list(few_files.running_text())
    assert blocks.count("") == len(few_files.documents)
    assert [block.split("\n")[:-1] for block in blocks if block] == few_files.documents


def test_a_python_without_sources_is_refused(monkeypatch):
    monkeypatch.setattr(installed_documentation, "docstrings", lambda: iter([]))
    with pytest.raises(UserError, match="use a corpus of your own"):
        list(InstalledDocumentation())
