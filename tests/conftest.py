from hypothesis import settings

from tests.labelled_corpus import labelled, varied  # noqa: F401  (fixtures)

settings.register_profile("minitransformer", deadline=None)  # no test fails because a machine is busy
settings.load_profile("minitransformer")
