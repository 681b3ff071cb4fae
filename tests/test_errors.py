from minitransformer.errors import UserError, errors_in, printable


def test_a_message_is_one_line_without_what_steers_a_terminal():
    assert str(UserError("a\tb\n\x1b[2J\x07\u2028 é\ud800")) == r"a\tb\n\x1b[2J\x07\u2028 é\ud800"


def test_a_message_is_at_most_a_screen():
    text = printable("begin " + "x" * 100_000 + " end")
    assert len(text) < 1700
    assert (text[:6], text[-4:]) == ("begin ", " end")


def test_the_file_comes_first():
    try:
        with errors_in("a.json"):
            raise UserError("is broken")
    except UserError as error:
        assert str(error) == "a.json: is broken"  # noqa: PT017
