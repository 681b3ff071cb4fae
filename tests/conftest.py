from hypothesis import settings

settings.register_profile("minitransformer", deadline=None)  # no test fails because a machine is busy
settings.load_profile("minitransformer")
