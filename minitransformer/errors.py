"""What speaks to the user rather than to the programmer: an exception, and a warning that a caller may silence."""


class UserError(ValueError):
    """Something given from outside (a file, a text, an option) can't be used.

    The message is a sentence or two that say what was expected, what was found, where, and what to do. The command
    line prints it alone, without a traceback, and ends with status 1.
    """


class IgnoredTensors(UserWarning):
    """A folder holds tensors that the model loaded from it has no place for, such as heads it was pretrained with."""
