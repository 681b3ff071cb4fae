import re

from minitransformer.pictures.diagram import STEP, arrow, chain


def test_a_chain_has_an_arrow_from_each_frame_to_the_next():
    frames, parts = chain([["a"], ["b", "of two lines"], ["c"]], 10, 0, 100)
    assert [frame.x for frame in frames] == [10, 10, 10]
    assert frames[1].width == max(frame.width for frame in frames) > 100
    assert frames[2].y - frames[1].bottom[1] == STEP
    text = "".join(map(str, parts))
    assert re.findall(r"<text[^>]*>([^<]*)<", text) == ["a", "b", "of two lines", "c"]
    assert text.count("<path") == 2


def test_an_arrows_head_is_where_it_ends():
    [path] = re.findall(r'd="([^"]*)"', str(arrow([(0, 0), (0, 30), (40, 30)])))
    points = [tuple(map(float, point.split())) for point in re.findall(r"[\d.]+ [\d.]+", path)]
    assert points[:3] == [(0, 0), (0, 30), (40, 30)]
    assert points[4] == (40, 30)
    assert points[3][0] < 40 > points[5][0]
    assert points[3][1] + points[5][1] == 60
