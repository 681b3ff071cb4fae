"""Tables as they come from other programs: their texts are what was in the fields, not what is in the file."""

import csv
import io
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.corpora import dialects
from minitransformer.corpora.dialects import Row, read_rows
from minitransformer.errors import UserError

FIELDS = [["text", "label"], ['He said "good" film', "1"], ["bad film", "0"], ["good film, the dog", "1"]]


def rows_of(text, source="data.tsv"):
    """The rows of a file with this text, and the notes that they are read with."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        rows = read_rows(list(enumerate(text.splitlines(), 1)), source)
    return rows, [str(note.message) for note in caught]


def written(rows, **options):
    file = io.StringIO()
    csv.writer(file, lineterminator="\n", **options).writerows(rows)
    return file.getvalue()


QUOTING = {  # what pandas' to_csv and csv.writer write
    "where needed": {"delimiter": "\t"},
    "everywhere": {"delimiter": "\t", "quoting": csv.QUOTE_ALL},
    "all but numbers": {"delimiter": "\t", "quoting": csv.QUOTE_NONNUMERIC},
}


@pytest.mark.parametrize("options", QUOTING.values(), ids=QUOTING)
def test_tabs_and_quoted_fields_are_read_and_said(options):
    typed = [[text, label if label == "label" else int(label)] for text, label in FIELDS]
    rows, notes = rows_of(written(typed, **options))
    assert [row.fields for row in rows] == FIELDS
    assert notes == ["data.tsv is read without the quotation marks that pandas and spreadsheets put around fields"]


def test_spreadsheets_quote_commas_too():
    rows, notes = rows_of('text\tlabel\n"He said ""good"" film"\t1\nbad film\t0\n"good film, the dog"\t1\n')
    assert [row.fields for row in rows] == [FIELDS[0], FIELDS[1], FIELDS[2], FIELDS[3]]
    assert len(notes) == 1


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_csv_is_read_and_said(delimiter):
    rows, notes = rows_of(written(FIELDS, delimiter=delimiter))
    assert [row.fields for row in rows] == FIELDS
    assert notes == [f"data.tsv is read as CSV, with {delimiter!r} between the fields"]


def test_one_column_in_a_file_that_is_called_csv():
    assert rows_of('text\n"good, film"\nbad\n', "x.csv")[0] == [
        Row(1, ["text"]),
        Row(2, ["good, film"]),
        Row(3, ["bad"]),
    ]
    assert rows_of('text\n"good, film"\nbad\n', "x.txt")[0][1].fields == ["good, film"]
    assert rows_of("text\nMy, my.\nbad\n", "x.tsv")[0][1].fields == ["My, my."]


def test_a_quoted_field_may_have_several_lines_and_rows_know_their_first():
    rows, _ = rows_of('text\tlabel\n"a film\n with two lines"\t1\n\n"a\ttab"\t0\n')
    assert rows == [Row(1, ["text", "label"]), Row(2, ["a film with two lines", "1"]), Row(5, ["a\ttab", "0"])]


@pytest.mark.parametrize(
    "line",
    ['"quite" so\t1', 'a 5" disk\t1', '"Hello."\t1', '"He said ""so"" twice" he said\t1', '"\t1', '"a" and "b"\t0'],
)
def test_quotation_marks_of_a_plain_table_are_part_of_the_text(line):
    rows, notes = rows_of(f"text\tlabel\n{line}\nno marks, but a comma\t0\n")
    assert rows[1].fields == line.split("\t")
    assert notes == []


def test_a_line_that_looks_quoted_where_others_are_not_is_said():
    rows, notes = rows_of('text\tlabel\n"so ""called"" film"\t1\n"quite" so\t0\n')
    assert rows[1].fields == ['"so ""called"" film"', "1"]
    assert notes == [
        "data.tsv: line 2 looks quoted, but other lines don't, so all quotation marks are taken as part of the texts"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('text,label\nbad,0\n"good,1\nbad,0\n', "data.tsv, line 3: the fields are quoted, but not well"),
        ('text,label\n"a" film,1\n', "data.tsv, line 2: the fields are quoted, but not well"),
        ('text,label\n"' + "long " * 40_000, "data.tsv, line 2: a quoted field has over 131,072 characters; is a"),
        ('{"text": "bad", "label": 0}\n', "data.tsv looks like JSON; expected a table"),
        ('"text"\t"label"\n"a \\"so\\" film"\t"1"\n', "data.tsv, line 2: the fields are quoted, but not well"),
    ],
)
def test_quotation_marks_that_do_not_fit_are_an_error_with_the_line(text, message):
    with pytest.raises(UserError, match=message):
        rows_of(text)


def test_what_is_too_long_for_a_table_is_refused(monkeypatch):
    monkeypatch.setattr(dialects, "MAX_FIELD_CHARACTERS", 10)
    with pytest.raises(UserError, match="line 2: a field has more than 10 characters"):
        rows_of("text\nlonger than ten\n")
    monkeypatch.setattr(dialects, "MAX_TABLE_CHARACTERS", 10)
    with pytest.raises(UserError, match=r"data.tsv has more than .* characters, too many for a table"):
        rows_of("text\none two\nthree\n")


@given(
    st.lists(st.lists(st.text('a "\t,;1.', max_size=5).map(str.strip), min_size=2, max_size=2), max_size=4),
    st.sampled_from([*QUOTING.values(), {"delimiter": ","}, {"delimiter": ";"}]),
)
def test_whatever_csv_writes_is_read_back(rows, options):
    table = [["text", "label"], *rows]
    read, _ = rows_of(written(table, **options))
    assert [row.fields for row in read] == [row for row in table if any(row)]
