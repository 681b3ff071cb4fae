"""Cut a paragraph into sentences by rules.

A full stop, question mark or exclamation mark ends a sentence if what follows can begin one: white space, and then
anything but a lower-case letter. Abbreviations and initials also have a full stop, so the word before it decides:

    Mr. Woodhouse           a title never ends a sentence
    J. R. R. Tolkien        nor does an initial
    vol. 3                  nor do some abbreviations before a number
    in the U.S. The army    these do, if the next word is one that usually begins sentences
    3.14, example.com       no white space follows

The rules are for English and languages with similar punctuation; 。！？ always end a sentence. Punkt (Kiss and Strunk
2006, "Unsupervised multilingual sentence boundary detection") learns such lists from text, but it needs a lot of text.
"""

import re


def words(text: str) -> frozenset[str]:
    """The set of words in a text: a readable way to write such sets."""
    return frozenset(text.split())


TITLES = words(
    """mr mrs ms messrs mme mlle dr drs prof rev hon st ste sr fr gen col maj capt cpt lt sgt cmdr adm gov sen rep pres
    supt dept vs viz cf eg e.g i.e ie al approx ca resp incl esp b.c a.d"""
)
BEFORE_NUMBERS = words(
    """no nos vol vols p pp ch chap sec sect art eq eqs fig figs ref refs tab ver v par cap lib
    jan feb mar apr jun jul aug sep sept oct nov dec"""
)
MAYBE_LAST = words("etc jr sr inc co corp ltd bros esq ave rd blvd mt")
STARTERS = words(
    """the this that these those it its he his she her they their we our you your i my there here then thus a an and but
    or so yet if when while after before because since as in on at by for from with to of however although though
    all some many most each every no not one two another such what who why how where let see use note"""
)

OPENING = "\"'“‘«([{<_*`-–—"
CLOSING = "\"'”’»)]}>_*`"
CANDIDATE = re.compile(
    rf"(?<![.!?…])[.!?…](?: ?[.!?…])*[{re.escape(CLOSING)}]*(?: [”’»)\]}}])*(?= |$)"  # or spaced: ". . ." or ". )"
    r"|[。！？]+[」』”’]*"
)
ACRONYM = re.compile(r"(?:[A-Za-z]\.)+[A-Za-z]")
ENUMERATOR = re.compile(r"[(\[]?(?:\d{1,3}|[ivxlc]{1,6}|[IVXLC]{1,6}|[A-Za-z])")
FIRST_WORD = re.compile(r"[^\W\d_]+")


def split_sentences(paragraph: str) -> list[str]:
    """Split a paragraph into its sentences; all white space becomes single spaces.

    It takes time in proportion to the length of the text, whatever that is.

    >>> split_sentences('Mr. Knox saw 3.5 m of snow. "Is it deep?" she asked. It was.')
    ['Mr. Knox saw 3.5 m of snow.', '"Is it deep?" she asked.', 'It was.']
    """
    text = " ".join(paragraph.split())
    in_lower_case = text == text.lower()  # then a lower-case letter can begin a sentence
    sentences = []
    start = seen = num_quotes = 0  # where the sentence starts, how far it has been read, and what was found there
    has_words = False
    for candidate in CANDIDATE.finditer(text):
        mark, end = candidate.start(), candidate.end()
        has_words = has_words or any(map(str.isalnum, text[seen:mark]))
        num_quotes += text.count('"', seen, end)
        seen = end
        if text[end : end + 3] in (' " ', ' "') and num_quotes % 2:
            end += 2  # tokenised text, with a space before the closing quotation mark
        before = last_words(text, start, mark) if has_words else ""
        if ends_sentence(before, candidate.group(), text[end : end + 40], in_lower_case):
            sentences.append(text[start:end].strip())
            start = seen = end
            num_quotes, has_words = 0, False
    sentences.append(text[start:].strip())
    return [sentence for sentence in sentences if sentence]


def last_words(text: str, start: int, end: int) -> str:
    """text[start:end] without what is before its last two words: no more is needed, and it may be long."""
    space = text.rfind(" ", start, end)
    before_space = text.rfind(" ", start, max(start, space))
    return text[max(start, before_space) : end]


def ends_sentence(before: str, mark: str, after: str, in_lower_case: bool) -> bool:
    """Whether `mark` ends the sentence, given its last words so far, none if it has no word, and what follows."""
    if mark[0] in "。！？":
        return True
    if not before:
        return False
    following = after.lstrip(OPENING + " ")
    if not following or (following[0].islower() and not in_lower_case):
        return False
    return mark[0] != "." or mark.count(".") > 1 or not is_abbreviation(before, following)


def is_abbreviation(before: str, following: str) -> bool:
    """Whether the full stop after `before` belongs to an abbreviation, an initial or the number of a list item."""
    word = before.rsplit(" ", 1)[-1].lstrip(OPENING)
    lowered = word.lower()
    if not word:  # a full stop by itself, in tokenised text
        return False
    if ENUMERATOR.fullmatch(before.strip()) or lowered in TITLES:
        return True
    if lowered in BEFORE_NUMBERS and following[0].isdigit():
        return True
    if len(word) == 1 and word.isupper():
        return not (word == "I" and before[:-2].rsplit(" ", 1)[-1].islower())  # "It was I. He knew."
    if lowered in MAYBE_LAST or ACRONYM.fullmatch(word):
        first = FIRST_WORD.match(following)
        return first is None or first.group().lower() not in STARTERS
    return False
