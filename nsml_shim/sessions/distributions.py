"""Names of distributions: former ones, ones that share a module, and the module each brings.

Tables only. Source: the pages of the projects on PyPI, and the imports of the public NSML guests.
"""

from __future__ import annotations

import re
import sys

FORMER_NAMES = {
    "bs4": "beautifulsoup4",
    "crypto": "pycryptodome",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "faiss": "faiss-cpu",
    "faiss-gpu": "faiss-cpu",
    "mecab-python": "mecab-python3",
    "nvidia-ml-py3": "nvidia-ml-py",
    "opencv": "opencv-python",
    "pil": "pillow",
    "pillow-simd": "pillow",
    "pycrypto": "pycryptodome",
    "pytorch": "torch",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "tb-nightly": "tensorboard",
    "tensorflow-gpu": "tensorflow",
    "tf-nightly": "tensorflow",
    "torch-nightly": "torch",
    "umap": "umap-learn",
    "yaml": "pyyaml",
}
"""What to install instead of a name that is dead, a module's, or needs a compiler; normal form."""

KEEPS_ITS_VERSION = {"tensorflow-gpu", "pytorch", "tensorflow", "torch"}
"""Former names whose version numbers mean the same under the new name."""

ALTERNATIVES = (
    (
        "opencv-python",
        "opencv-python-headless",
        "opencv-contrib-python",
        "opencv-contrib-python-headless",
    ),
    ("tensorflow", "tensorflow-cpu"),
    ("psycopg2", "psycopg2-binary"),
)
"""Distributions that bring the same module; one is as good as another."""

PARTS_OF_PYTHON = {
    "contextvars",
    "enum34",
    "functools32",
    "futures",
    "pathlib2",
    "pickle5",
    "subprocess32",
    "unittest2",
}
"""Backports of what every supported Python has; some break it when they are installed."""

OF_MODULE = {
    "apex": "apex @ git+https://github.com/NVIDIA/apex",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "community": "python-louvain",
    "Crypto": "pycryptodome",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "distutils": "setuptools",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "efficientnet_pytorch": "efficientnet-pytorch",
    "faiss": "faiss-cpu",
    "fitz": "pymupdf",
    "git": "GitPython",
    "google": "protobuf",
    "imblearn": "imbalanced-learn",
    "jpype": "JPype1",
    "jwt": "PyJWT",
    "Levenshtein": "python-Levenshtein",
    "magic": "python-magic",
    "MeCab": "mecab-python3",
    "mpl_toolkits": "matplotlib",
    "MySQLdb": "mysqlclient",
    "OpenSSL": "pyOpenSSL",
    "PIL": "pillow",
    "pkg_resources": "setuptools<81",
    "pl_bolts": "lightning-bolts",
    "psycopg2": "psycopg2-binary",
    "pynvml": "nvidia-ml-py",
    "pytorch_lightning": "pytorch-lightning",
    "pytorch_metric_learning": "pytorch-metric-learning",
    "pywt": "PyWavelets",
    "ruamel": "ruamel.yaml",
    "sentence_transformers": "sentence-transformers",
    "serial": "pyserial",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "skopt": "scikit-optimize",
    "skvideo": "scikit-video",
    "slugify": "python-slugify",
    "surprise": "scikit-surprise",
    "tensorboard_logger": "tensorboard-logger",
    "umap": "umap-learn",
    "usb": "pyusb",
    "warpctc_pytorch": "warpctc-pytorch",
    "wx": "wxPython",
    "Xlib": "python-xlib",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
}
"""Distribution to install for a module, where the two differ."""

GONE_WITH_PYTHON_2 = {
    *("__builtin__", "BaseHTTPServer", "commands", "ConfigParser", "cookielib", "copy_reg"),
    *("cPickle", "cStringIO", "HTMLParser", "httplib", "Queue", "sets", "SocketServer"),
    *("StringIO", "thread", "Tkinter", "urllib2", "urlparse", "xmlrpclib"),
}
"""Modules that only Python 2 had."""


def normalise(name: str) -> str:
    """The form in which names of distributions are compared. Source: PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def living_name(name: str) -> str:
    """Name to look for instead of `name`, in normal form; "" if Python itself brings it."""
    plain = normalise(name)
    if plain in PARTS_OF_PYTHON or plain.replace("-", "_") in sys.stdlib_module_names:
        return ""
    return FORMER_NAMES.get(plain, plain)


def same_module(name: str) -> tuple[str, ...]:
    """Distributions that bring what `name` does, in normal form, itself first."""
    group = next((group for group in ALTERNATIVES if name in group), ())
    return tuple(dict.fromkeys((name, *group)))


def of_module(module: str) -> str:
    """Distribution to install for a top-level module; "" if none can bring it."""
    if module in GONE_WITH_PYTHON_2 or module in sys.stdlib_module_names - {"distutils"}:
        return ""
    return OF_MODULE.get(module, module)
