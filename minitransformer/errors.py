"""The one exception that speaks to the user rather than to the programmer."""


class UserError(ValueError):
    """Something given from outside (a file, a text, an option) can't be used.

    The message is a sentence or two that say what was expected, what was found, where, and what to do. The command
    line prints it alone, without a traceback, and ends with status 1.
    """
