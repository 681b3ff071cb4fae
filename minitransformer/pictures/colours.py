"""Colours that the colour-blind tell apart, and the ink that is readable on each.

Shares go from nearly white to dark blue, a ramp of one hue. What has a sign goes to blue above 0 and to orange below,
which no common kind of colour-blindness confuses. Kinds of things have Okabe and Ito's colours ("Color Universal
Design", 2008).
"""

from collections.abc import Sequence

Colour = tuple[int, int, int]

WHITE: Colour = (247, 250, 253)
BLUES: list[Colour] = [WHITE, (158, 202, 225), (49, 117, 180), (8, 48, 107)]
ORANGES: list[Colour] = [WHITE, (253, 190, 133), (217, 95, 14), (115, 45, 5)]
KINDS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7f7f7f", "#b8a500"]
GREY = "#757575"  # as readable on white as on black


def share_colour(share: float) -> str:
    """The colour of a share between 0 and 1."""
    return _hex(_on_ramp(BLUES, share))


def signed_colour(value: float) -> str:
    """The colour of a value between -1 and 1."""
    return _hex(_on_ramp(BLUES if value >= 0 else ORANGES, abs(value)))


def ink_on(colour: str) -> str:
    """Black or white, whichever has the greater contrast with the colour (WCAG 2.2, relative luminance)."""
    linear = [_linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000" if (luminance + 0.05) ** 2 > 0.05 * 1.05 else "#fff"


def _on_ramp(ramp: Sequence[Colour], share: float) -> Colour:
    place = min(max(share, 0.0), 1.0) * (len(ramp) - 1)
    i = min(int(place), len(ramp) - 2)
    red, green, blue = (round(a + (place - i) * (b - a)) for a, b in zip(ramp[i], ramp[i + 1], strict=True))
    return red, green, blue


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour)


def _linear(part: float) -> float:
    """An sRGB component between 0 and 1 as an amount of light."""
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
