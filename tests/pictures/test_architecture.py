import re

from minitransformer.inference.architecture import architecture
from minitransformer.pictures.architecture import architecture_picture
from tests.small_models import small_gpt, small_seq2seq


def test_the_numbers_are_the_models():
    model = small_gpt()
    picture = architecture_picture("my-gpt", architecture(model))
    assert picture.data["parameters"] == model.num_parameters
    assert picture.finding.startswith(f"{model.num_parameters:,} parameters, ")
    assert picture.finding.endswith(" of them in the 2 layers.")
    of_all = [int(row[-1].replace(",", "")) for row in picture.tables[0].rows]
    assert sum(of_all) == model.num_parameters
    titles = re.findall(r'font-weight="bold">([^<]*)<', picture.as_svg())
    assert titles == ["embeddings: 384", f"layers × 2: {picture.data['blocks'][1]['parameters']:,}", "norm: 24"]


def test_the_layers_of_a_translator_are_its_encoders_and_its_decoders():
    picture = architecture_picture("my-translator", architecture(small_seq2seq()))
    assert picture.finding.endswith(" of them in the 2 layers of the decoder.")
