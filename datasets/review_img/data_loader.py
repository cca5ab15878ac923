"""Owner's side of a submission: hands the test pictures to the guest, writes the answer."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol

import nsml


class Table(Protocol):
    """What infer returns: a pandas DataFrame with the columns `image_name` and `y_pred`."""

    def to_csv(self, path_or_buf: str, /) -> object:
        """Write the table as CSV."""
        ...

    def __len__(self) -> int:
        """Number of rows."""
        ...


def test_data_loader(root_path: str) -> str:
    """Where the guest finds the test side of the dataset: `test_data/` lies in it."""
    return os.path.join(root_path, "test")


def feed_infer(output_file: str, infer_func: Callable[[str], Table]) -> None:
    """Let the guest predict every test picture, and write the prediction.

    Args:
        output_file: CSV file to write, with the index as its first column.
        infer_func: The guest's infer; gets the folder that holds `test_data/`.

    Raises:
        TypeError: If infer returns no table.
        AssertionError: If the prediction is empty.
    """
    prediction = infer_func(test_data_loader(str(nsml.DATASET_PATH)))
    if not hasattr(prediction, "to_csv"):
        raise TypeError(
            f"infer returned {type(prediction).__name__}; expected a pandas DataFrame with the "
            "columns image_name and y_pred. Return one from the function bound as infer."
        )
    if len(prediction) > 0:
        prediction.to_csv(output_file)
    if not os.path.isfile(output_file) or os.path.getsize(output_file) == 0:
        raise AssertionError(
            "output result of inference is nothing: infer returned an empty table. "
            "Expected one row per test picture; check which folder infer lists."
        )
