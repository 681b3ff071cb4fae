import signal

from hypothesis import settings

from tests.labelled_corpus import labelled, varied  # noqa: F401  (fixtures)

settings.register_profile("minitransformer", deadline=None)  # no test fails because a machine is busy
settings.load_profile("minitransformer")

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # A shell starts background jobs so that they ignore Ctrl-C, and the programs that the tests start would, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
