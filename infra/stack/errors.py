"""What can be wrong with the machine, said in one sentence that names the setting to change."""


class StackError(Exception):
    """The stack can't start or go on; the message is all that a person needs to see."""
