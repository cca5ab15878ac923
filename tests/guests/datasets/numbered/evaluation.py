import argparse
import os

parser = argparse.ArgumentParser()
parser.add_argument("--prediction", default="pred.txt")
args = parser.parse_args()
with open(args.prediction) as file:
    guess = dict(line.split() for line in file)
with open(os.path.join("data", "numbered", "test", "test_label")) as file:
    truth = file.read().split()
print(sum(guess[str(at)] == label for at, label in enumerate(truth)) / len(truth))
