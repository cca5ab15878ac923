import argparse
import json

parser = argparse.ArgumentParser()
parser.add_argument("--prediction", default="prediction.txt")
parser.add_argument("--test_label_path")
args = parser.parse_args()
with open(args.prediction) as file:
    guess = json.load(file)
with open(args.test_label_path) as file:
    truth = json.load(file)["genre"]
print(sum(guess[int(at)] == label for at, label in truth.items()) / len(truth))
