from minitransformer.pictures.table import Table

TABLE = Table("Two dogs", ["name", "weight", "age"], [["<Rex>", "12.5", "3"], ["Bo", "heavy", "10"]])


def test_as_text():
    assert TABLE.as_text() == "Two dogs\nname   weight  age\n<Rex>  12.5      3\nBo     heavy    10"


def test_as_an_element_it_has_headings_for_rows_and_columns_and_can_be_scrolled_by_keyboard():
    text = str(TABLE.as_element("dogs"))
    assert text.startswith('<div class="scrolling" role="region" aria-label="Two dogs" tabindex="0"><table id="dogs">')
    assert '<th scope="row">&lt;Rex&gt;</th><td>12.5</td><td class="number">3</td>' in text
    assert '<th scope="col">weight</th><th scope="col" class="number">age</th>' in text
