import os
import signal
import threading

import pytest

from minitransformer.training.stop_signals import StopSignals


def test_the_first_signal_is_a_request_and_the_second_interrupts():
    with StopSignals() as stop:
        assert not stop.requested
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.requested
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_in_another_thread_nothing_changes():
    handlers = []

    def enter():
        with StopSignals():
            handlers.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=enter)
    before = signal.getsignal(signal.SIGINT)
    thread.start()
    thread.join()
    assert handlers == [before]
