import json
from xml.etree import ElementTree

from minitransformer.pictures.elements import element, json_script

HOSTILE = "</text></script><script>alert('1 & 2')</script>\"<!--"


def test_text_and_attributes_come_back_as_they_were():
    read = ElementTree.fromstring(str(element("text", HOSTILE, data_name=HOSTILE)))
    assert (read.text, read.get("data-name")) == (HOSTILE, HOSTILE)


def test_attributes():
    assert str(element("input", type="checkbox", checked=True, id=None)) == '<input type="checkbox" checked="">'
    assert str(element("rect", x=1 / 3, y=-0.001, width=2.0)) == '<rect x="0.33" y="-0" width="2"></rect>'


def test_data_of_a_page_can_not_end_its_script():
    text = str(json_script("data", {"token": HOSTILE}))
    assert text.count("<") == 2
    assert json.loads(text.partition(">")[2].removesuffix("</script>")) == {"token": HOSTILE}
