import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--prediction")
parser.add_argument("--test_label_path")
args = parser.parse_args()
with open(args.prediction) as file:
    guess = [line.split("\t")[1].strip() for line in file]
with open(args.test_label_path) as file:
    truth = file.read().split()
print(sum(a == b for a, b in zip(guess, truth, strict=True)) / len(truth))
