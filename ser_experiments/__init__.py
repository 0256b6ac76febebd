"""Speech emotion recognition experiments that are one command, comparable and honest.

The names of ``__init__.pyi`` are imported when they are first used, so that importing the package costs nothing.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
