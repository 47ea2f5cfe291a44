"""Feature networks behind one interface: pictures in, features out.

    lite0        EfficientNet-Lite0, from a package; the usual one
    inception    the original network of the FID, from a file that the user has
    vgg16        VGG-16's convolutions, from a package
    digits       the project's own classifier of handwritten digits
    pixels       no network

`find` opens one by name, `score_name` says what a score computed from its features may be called.
"""

from .catalog import DEFAULT, find, names
from .extractor import Extractor, Seen, score_name

__all__ = ["DEFAULT", "Extractor", "Seen", "find", "names", "score_name"]
