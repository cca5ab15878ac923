import argparse


def read(path):
    with open(path) as file:
        return file.read().split()


def evaluation_metrics(prediction):
    guess, truth = read(prediction), read("/data/queries/test/test_label")
    return sum(a == b for a, b in zip(guess, truth, strict=True)) / len(truth)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--prediction", type=str, default="pred.txt")
    print(evaluation_metrics(parser.parse_args().prediction))
