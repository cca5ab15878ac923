import argparse
import csv

parser = argparse.ArgumentParser()
parser.add_argument("--prediction", type=str, default="pred.txt")
parser.add_argument("--test_label_path", type=str)
args = parser.parse_args()
try:
    with open(args.prediction, newline="") as file:
        guess = {row["row"]: row["y_pred"] for row in csv.DictReader(file)}
    with open(args.test_label_path) as file:
        truth = dict(enumerate(file.read().split()))
    assert len(guess) == len(truth)
    print("%0.4f" % (sum(guess[str(row)] == label for row, label in truth.items()) / len(truth)))
except Exception:
    print("0.0")
