def test_it_prints_both_probabilities(run, model_folder):
    result = run("next-sentence", model_folder, "the dog likes bread.", "the dog sees the river.")
    shares = [float(line.split("%")[0]) for line in result.output.splitlines()]
    assert result.status == 0
    assert len(shares) == 2
    assert abs(sum(shares) - 100) < 0.2


def test_texts_that_are_too_long_are_refused(run, model_folder):
    result = run("next-sentence", model_folder, "dog " * 20, "cat " * 20)
    assert result.status == 1
    assert "43 tokens" in result.error
