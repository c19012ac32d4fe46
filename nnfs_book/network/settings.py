"""Things that can be written down: what they were made with, and a repr that could be typed."""

from inspect import signature


class Settings:
    """What layers, losses, optimizers and metrics share: they know what they were made with.

    What a class takes when it is made it keeps under the same name. A stream is no setting: where
    it stands cannot be written down in a line.
    """

    def settings(self):
        """Return by name what this was made with.

        Examples
        --------
        >>> from nnfs_book import Dropout
        >>> Dropout(0.5).settings()
        {'rate': 0.5}
        """
        names = [name for name in signature(type(self)).parameters if name != "stream"]
        return {name: getattr(self, name) for name in names}

    def __repr__(self):
        """Return what could be typed to make another one: what is not left at its default."""
        parameters = signature(type(self)).parameters
        written = []
        for name, value in self.settings().items():
            if parameters[name].default is parameters[name].empty:
                written.append(f"{value!r}")
            elif value != parameters[name].default:
                written.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(written)})"
