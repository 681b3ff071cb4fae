import numpy as np
import pytest

from minitransformer.nn.sinusoidal_embeddings import SinusoidalEmbeddings, sinusoids


def test_sines_are_in_the_first_half_and_cosines_in_the_second():
    """Vaswani et al. 2017, section 3.5: wave i has the angle position / 10000^(2i / H)."""
    for position, size in ((0, 6), (3, 6), (700, 8)):
        angles = [position / 10000 ** (2 * i / size) for i in range(size // 2)]
        np.testing.assert_allclose(
            sinusoids(np.array([position]), size)[0], [*np.sin(angles), *np.cos(angles)], rtol=1e-12
        )


def test_an_odd_number_of_columns_has_one_sine_more():
    assert sinusoids(np.arange(4), 5).shape == (4, 5)
    np.testing.assert_array_equal(sinusoids(np.array([0]), 5), [[0, 0, 0, 1, 1]])


def test_the_product_of_two_positions_depends_on_their_distance_alone():
    """sin a sin b + cos a cos b = cos(a - b), which is why waves were chosen."""
    products = sinusoids(np.arange(20), 16) @ sinusoids(np.arange(20), 16).T
    for distance in (0, 1, 7):
        same_distance = np.diagonal(products, distance)
        np.testing.assert_allclose(same_distance, same_distance[0], rtol=1e-12)


def test_a_token_is_scaled_by_the_root_of_its_size_and_the_position_added():
    layer = SinusoidalEmbeddings(5, 9, dropout=0.1).initialise(dtype=np.float64)
    y = layer(np.array([4, 4]), np.array([0, 3]))
    np.testing.assert_allclose(y, 3 * layer.token.table.value[[4, 4]] + sinusoids(np.array([0, 3]), 9), rtol=1e-12)


@pytest.mark.parametrize("position", [0, 10**6])
def test_there_is_a_wave_for_every_position(position):
    assert np.isfinite(sinusoids(np.array([position]), 4)).all()
