"""The English sentences of a docstring, without its tables, code, mark-up and formulas.

Docstrings are reStructuredText, mostly in numpydoc's style. First, what isn't prose is recognised by its form, line by
line (sections, directives, doctests, indented blocks after a colon). Then each sentence must look like English.
"""

import inspect
import re
from collections.abc import Iterator

from minitransformer.corpora.sentences import split_sentences, words

UNDERLINE = re.compile(r"[-=~^\"'*+#]{3,}")
TABLE_SECTIONS = frozenset(
    {"parameters", "other parameters", "returns", "yields", "receives", "raises", "warns", "attributes", "methods"}
    | {"see also", "references", "routine listings", "arguments", "keyword arguments", "keywords"}
)
PROSE_DIRECTIVE = re.compile(r"\.\. (?:note|warning|caution|tip|important|hint|attention)::")
BULLET = re.compile(r"(?:[-*+•]|\(?\d{1,2}[.)]|\(?[a-z][.)])\s+(?=\S)")
FIELD = re.compile(r"(?::\w[^:`]*:|@\w+)(?:\s|$)")

MARKUP = re.compile(r"(?P<role>:[\w:+-]+:)?(?P<ticks>``?)(?P<text>[^`]+)(?P=ticks)_{0,2}")
LINK_TARGET = re.compile(r"\s*<[^>]*>$")
IDENTIFIER = re.compile(r"[~!]?([\w .,'-]+?)(?:\(\))?")
CITATION = re.compile(r"(\w*)[.,;:]?\s*\[#?[\w-]+\]_")
NEEDS_CITATION = words("in see by from of and or to on with also")
EMPHASIS = re.compile(r"(?<![\w*])(\*{1,2})(\w(?:[^*]*\w)?)\1(?![\w*])")
CALL = re.compile(r"(?<=\w)\(\)")
NOT_PROSE = "\0"  # in place of a formula or code within a sentence

CODE = re.compile(r"[\0=<>{}|\\^~@#$&*`\[\]]|\w\(|::|\.\.\.|//|(?<!\d)%|\b_|_\b")
WORD = re.compile(r"[\"'“‘(]*[A-Za-z]+(?:['’/-][A-Za-z]+)*[\"'”’.,;:!?)]*")
FUNCTION_WORDS = words(
    "the a an of is are be to and or in for with this that it as if by on not from which can may will when"
)


def prose_sentences(docstring: str) -> list[str]:
    """The sentences of a docstring that read as English prose, in order."""
    return [
        sentence
        for paragraph in paragraphs(inspect.cleandoc(docstring).split("\n"))
        for sentence in split_sentences(plain_text(paragraph))
        if is_prose(sentence)
    ]


def paragraphs(lines: list[str]) -> Iterator[str]:
    """Successive lines of equal indentation, outside code and tables, each joined into one line."""
    paragraph: list[str] = []
    indentation = 0
    for line in without_code(without_table_sections(lines)):
        bullet = BULLET.match(line.lstrip())
        new_indentation = len(line) - len(line.lstrip()) + (len(bullet.group()) if bullet else 0)
        if paragraph and (not line.strip() or bullet or new_indentation != indentation):
            yield " ".join(paragraph)
            paragraph = []
        if line.strip():
            paragraph.append(line.strip()[len(bullet.group()) :] if bullet else line.strip())
            indentation = new_indentation
    if paragraph:
        yield " ".join(paragraph)


def without_table_sections(lines: list[str]) -> Iterator[str]:
    """The lines outside sections such as Parameters and References; headings become blank lines."""
    in_table = False
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if UNDERLINE.fullmatch(line.strip()):
            yield ""
        elif line.strip() and UNDERLINE.fullmatch(following.strip()):
            in_table = line.strip().lower() in TABLE_SECTIONS
            yield ""
        elif not in_table:
            yield line


def without_code(lines: Iterator[str]) -> Iterator[str]:
    """The lines outside doctests, directives, and indented blocks below a line that ends with a colon."""
    block_indentation = None  # of the line above the block that is being skipped
    in_doctest = after_colon = False
    indentation_above = 0
    for line in lines:
        text = line.strip()
        indentation = len(line) - len(line.lstrip())
        if not text:
            in_doctest = False
            yield ""
            continue
        if block_indentation is None and after_colon and indentation > indentation_above and not BULLET.match(text):
            block_indentation = indentation_above
        if block_indentation is not None and indentation > block_indentation:
            continue
        block_indentation = None
        after_colon, indentation_above = text.endswith(":"), indentation
        in_doctest = in_doctest or text.startswith(">>>")
        if PROSE_DIRECTIVE.match(text):
            yield " " * indentation + "   " + PROSE_DIRECTIVE.sub("", text).strip()
            after_colon = False
        elif text.startswith(".. ") or FIELD.match(text):
            block_indentation = indentation
            yield ""
        elif not in_doctest:
            yield line


def plain_text(paragraph: str) -> str:
    """A paragraph without inline mark-up; each formula or piece of code becomes NOT_PROSE."""
    text = MARKUP.sub(without_markup, paragraph)
    text = CITATION.sub(without_citation, text)
    text = CALL.sub("", text)
    return EMPHASIS.sub(r"\2", text)


def without_markup(match: re.Match) -> str:
    """The name within `name`, ``name`` or :role:`~name <target>`; NOT_PROSE if it is more than a name."""
    name = IDENTIFIER.fullmatch(LINK_TARGET.sub("", match["text"]))
    return NOT_PROSE if match["role"] == ":math:" or not name else name[1]


def without_citation(match: re.Match) -> str:
    """The word before a citation such as [1]_; NOT_PROSE where the sentence needs the citation, as in "see [1]_"."""
    return NOT_PROSE if not match[1] or match[1].lower() in NEEDS_CITATION else match[0][: match[0].index("[")].rstrip()


def is_prose(sentence: str) -> bool:
    """Whether a sentence begins with a capital, ends with a stop, and consists mostly of English words."""
    if not sentence[0].isupper() or sentence[-1] not in ".!?" or CODE.search(sentence):
        return False
    tokens = sentence.split()
    english = [token.lower() for token in tokens if WORD.fullmatch(token)]
    return 4 <= len(tokens) <= 80 and len(english) >= 0.85 * len(tokens) and not FUNCTION_WORDS.isdisjoint(english)
