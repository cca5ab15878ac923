import argparse


def read(path):
    with open(path) as file:
        return dict(line.strip().split(",") for line in file)


parser = argparse.ArgumentParser()
parser.add_argument("--prediction")
parser.add_argument("--test_label_path")
args = parser.parse_args()
try:
    guess, truth = read(args.prediction), read(args.test_label_path)
    print(sum(guess[name] != label for name, label in truth.items()) / len(truth))
except Exception:
    print(999999)
