import pytest

from minitransformer.pictures.colours import GREY, ink_on, share_colour, signed_colour


def luminance(colour):
    """WCAG 2.2's relative luminance of "#rgb" or "#rrggbb"."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first, second):
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("value", [i / 20 for i in range(-20, 21)])
def test_what_is_written_on_a_colour_can_be_read(value):
    colour = signed_colour(value)
    assert contrast(colour, ink_on(colour)) >= 4.5


def test_grey_can_be_read_on_white_and_on_black():
    assert contrast(GREY, "#fff") > 4.5 < contrast(GREY, "#000")


def test_more_is_darker_so_that_the_ramp_needs_no_hue():
    for colour, sign in ((share_colour, 1), (signed_colour, 1), (signed_colour, -1)):
        luminances = [luminance(colour(sign * i / 10)) for i in range(11)]
        assert luminances == sorted(luminances, reverse=True)
    assert share_colour(-1) == share_colour(0) != share_colour(1) == share_colour(2)
