import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--prediction", type=str, default="pred.txt")
with open(parser.parse_args().prediction) as file:
    pairs = [line.strip().split(", ") for line in file]
print(sum(predicted == label for predicted, label in pairs) / len(pairs))
