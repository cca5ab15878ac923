# type: ignore
import os

from nsml.constants import DATASET_PATH


def feed_infer(output_file, infer_func):
    result = infer_func(os.path.join(DATASET_PATH, "test"))
    print("write output")
    result.to_csv(output_file, index=False)
    if os.stat(output_file).st_size == 0:
        raise AssertionError("output result of inference is nothing")
