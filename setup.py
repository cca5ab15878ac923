# nsml: pytorch/pytorch

"""Manifest of the submission: the image line above, and what a session needs installed.

The platform brings `nsml`, and the session runs in the uploaded folder; so no module is installed.
"""

from setuptools import setup

setup(
    name="review-tagging",
    version="0.1.0",
    python_requires=">=3.10",
    install_requires=[
        "torch",
        "torchvision",
        "timm",
        "pillow",
        "numpy",
        "pandas",
        "scikit-learn",
        "safetensors",
        "simplejpeg",
        "optuna",
    ],
    packages=[],
    py_modules=[],
)
