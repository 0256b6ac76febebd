"""Speech emotion recognition experiments that are one command, comparable and honest.

The names of ``__init__.pyi`` are imported when they are first used, so that importing the package costs nothing.
"""

import lazy_loader

#: The one place that says it: the package that is built, `ser --version` and what runs record take it from here.
__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
