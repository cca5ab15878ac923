import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--prediction", type=str)
parser.add_argument("--test_label_path", type=str)
args = parser.parse_args()
with open(args.prediction) as file:
    guess = file.read().split()
with open(args.test_label_path) as file:
    truth = [line.strip().split(",")[1] for line in file]
print(sum(a == b for a, b in zip(guess, truth, strict=True)) / len(truth))
