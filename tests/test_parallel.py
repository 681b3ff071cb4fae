"""BLAS threads belong to the call: whatever overlaps, fails or is abandoned, the process's limit is what it was."""

import multiprocessing
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from minitransformer import parallel
from minitransformer.models.sentence_encoder import SentenceEncoder
from minitransformer.parallel import BlasLimit, Threads, map_on_cores, one_blas_thread
from minitransformer.training.workers import Workers
from tests.small_encoders import TOKENIZER, random_texts, small_encoder
from tests.small_models import small_config


def blas_threads():
    """The limit of NumPy's BLAS library."""
    [library] = [library for library in threadpool_info() if "numpy" in library["filepath"]]
    return library["num_threads"]


@pytest.fixture(autouse=True)
def three_blas_threads():
    """What the process has when a test begins, and must have when it is over."""
    if not any("numpy" in library["filepath"] for library in threadpool_info()):
        pytest.skip("this NumPy has a BLAS library whose threads can't be limited")
    with threadpool_limits(3, user_api="blas"):
        yield
        assert blas_threads() == 3


# -- one BLAS thread ---------------------------------------------------------------------------------------------------


def test_there_is_one_blas_thread_inside_and_what_there_was_outside():
    with one_blas_thread():
        assert blas_threads() == 1
        with one_blas_thread():
            assert blas_threads() == 1
        assert blas_threads() == 1
    assert blas_threads() == 3


def test_the_last_of_several_threads_to_leave_puts_the_limit_back():
    first, second = one_blas_thread(), one_blas_thread()
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        one.submit(first.__enter__).result()
        other.submit(second.__enter__).result()
        one.submit(first.__exit__, None, None, None).result()
        assert blas_threads() == 1
        other.submit(second.__exit__, None, None, None).result()
        assert blas_threads() == 3


def test_an_error_inside_puts_the_limit_back():
    with pytest.raises(ZeroDivisionError), one_blas_thread():
        raise ZeroDivisionError
    assert blas_threads() == 3


class LimitOfEachThread:
    """A stand-in for MKL: a thread sees only the limit that it has set itself."""

    internal_api = "mkl"

    def __init__(self):
        self.limit = threading.local()

    def get_num_threads(self):
        return getattr(self.limit, "value", 4)

    def set_num_threads(self, num_threads):
        self.limit.value = num_threads


def test_where_each_thread_has_a_limit_of_its_own_each_gets_its_own_back(monkeypatch):
    library = LimitOfEachThread()
    limits = [BlasLimit(library)]
    monkeypatch.setattr(parallel, "blas_limits", lambda: limits)
    other_is_inside = threading.Event()
    we_have_left = threading.Event()

    def limits_of_the_other():
        with one_blas_thread():
            other_is_inside.set()
            we_have_left.wait(30)
            inside = library.get_num_threads()
        return inside, library.get_num_threads()

    with ThreadPoolExecutor(1) as other:
        with one_blas_thread():
            found = other.submit(limits_of_the_other)
            other_is_inside.wait(30)
            assert library.get_num_threads() == 1
        assert library.get_num_threads() == 4
        we_have_left.set()
        assert found.result() == (1, 4)


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_process_forked_while_another_thread_comes_and_goes_does_not_wait_forever():
    over = threading.Event()

    def come_and_go():
        while not over.is_set():
            with one_blas_thread():
                pass

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        for _ in range(20):
            child = multiprocessing.get_context("fork").Process(target=come_in_once)
            child.start()
            child.join(60)
            assert child.exitcode == 0
    finally:
        over.set()
        thread.join()


def come_in_once():
    with one_blas_thread():
        os._exit(0)


# -- work on all cores -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cores", [1, 2, 5, None])
def test_results_come_in_the_order_of_the_items_from_calls_with_one_blas_thread(cores):
    assert [*map_on_cores(lambda item: (item, blas_threads()), "abcd", cores)] == [(item, 1) for item in "abcd"]


@pytest.mark.parametrize(("items", "cores"), [("a", None), ("abc", 1)])
def test_one_item_or_one_core_needs_no_other_thread(items, cores):
    here = threading.get_ident()
    assert [*map_on_cores(lambda item: threading.get_ident(), items, cores)] == [here] * len(items)


@pytest.mark.parametrize("cores", [1, 2])
def test_an_error_in_an_item_reaches_the_caller(cores):
    with pytest.raises(ValueError, match="not a number"):
        [*map_on_cores(float, ["1", "not a number", "2"], cores)]


@pytest.mark.parametrize("cores", [1, 2])
def test_results_that_nobody_takes_any_more_leave_the_limit_as_it_was(cores):
    results = map_on_cores(float, ["1", "2", "3"], cores)
    assert next(results) == 1
    wait_for(lambda: blas_threads() == 3)
    results.close()
    assert blas_threads() == 3


def wait_for(condition):
    end = time.monotonic() + 30
    while not condition() and time.monotonic() < end:
        time.sleep(0.001)
    assert condition()


@pytest.mark.parametrize(("size", "parts"), [(5, 1), (2**18, 1), (2**18 + 1, 2), (10**6, 2)])
def test_a_vector_is_spread_in_parts_that_follow_each_other(size, parts):
    with Threads(2) as threads:
        found = threads.spread(lambda start, end: (start, end), size)
    assert len(found) == parts
    assert [start for start, _ in found] + [size] == [0] + [end for _, end in found]


def test_threads_have_one_blas_thread_each_and_so_has_who_waits_for_them():
    with Threads(2) as threads:
        assert threads.call(lambda item: blas_threads(), "abc") == [1, 1, 1]
        assert blas_threads() == 1
    assert blas_threads() == 3


def test_an_error_between_threads_puts_the_limit_back():
    with pytest.raises(ZeroDivisionError), Threads(2):
        raise ZeroDivisionError
    assert blas_threads() == 3


# -- encoding and training ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wide_encoder():
    """Wide enough for BLAS to spread its products; where it adds up 500 products differently if it does."""
    config = small_config(
        vocab_size=TOKENIZER.vocab_size, hidden_size=500, num_attention_heads=5, intermediate_size=700
    )
    return SentenceEncoder(config, TOKENIZER)


def test_an_embedding_has_the_same_bits_on_any_number_of_blas_threads(wide_encoder):
    embeddings = []
    for num_threads in (1, 2, 8):
        with threadpool_limits(num_threads, user_api="blas"):
            embeddings.append(wide_encoder.encode("my dog is cute"))
    np.testing.assert_array_equal(embeddings[1:], embeddings[:1] * 2)


@pytest.mark.parametrize("num_threads", [1, 2, 8])
def test_embeddings_have_the_same_bits_from_any_number_of_threads(wide_encoder, num_threads):
    texts = random_texts(40)
    expected = [wide_encoder.encode(text) for text in texts]
    with ThreadPoolExecutor(num_threads) as threads:
        found = [*threads.map(wide_encoder.encode, texts)]
    np.testing.assert_array_equal(found, expected)
    assert blas_threads() == 3


def test_a_stream_that_is_abandoned_leaves_the_limit_as_it_was():
    stream = small_encoder().encode_stream(iter(["my dog"] * 9000))
    assert len(next(stream)) == 8192
    assert blas_threads() == 3


def test_encoding_while_a_model_is_trained_changes_neither():
    encoder, trained = small_encoder(), small_encoder()
    texts = random_texts(40)
    expected = [encoder.encode(text) for text in texts]

    def add_gradients(model, tokens, shard):
        embeddings, cache = model.forward(tokens)
        model.backward(embeddings, cache)

    def step(workers):
        workers.zero_grad()
        workers.map(shards, add_gradients)
        workers.add_up_gradients()

    shards = [trained.tokenize(texts[:20]), trained.tokenize(texts[20:])]
    with Workers(trained, 2) as workers:
        step(workers)
        alone = trained.storage.gradients.copy()
        with ThreadPoolExecutor(2) as threads:
            found = threads.map(encoder.encode, texts)
            for _ in range(5):
                step(workers)
                np.testing.assert_array_equal(trained.storage.gradients, alone)
            np.testing.assert_array_equal([*found], expected)
        assert blas_threads() == 1
    assert blas_threads() == 3
