# type: ignore
"""Preprocessing goes through nsml.cache, as in the Vision contest."""

import argparse
import pickle

import nsml
from nsml import DATASET_PATH

sign = [0]


def train_data_loader(data_path, img_size, output_path):
    print("preprocessing with size", img_size)
    points = [tuple(map(float, line.split(","))) for line in open(data_path + "/train_data")]
    labels = [int(line) for line in open(data_path + "/train_label")]
    with open(output_path[0], "wb") as f:
        pickle.dump([y - x for x, y in points], f)
    with open(output_path[1], "wb") as f:
        pickle.dump(labels, f)


def bind_model():
    def save(file_path):
        with open(file_path, "w") as f:
            f.write(str(sign[0]))

    def load(file_path):
        with open(file_path) as f:
            sign[0] = int(f.read())

    def infer(image_path):
        x, y = map(float, open(image_path).read().split(","))
        return int((y - x) * sign[0] > 0)

    nsml.bind(save=save, load=load, infer=infer)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", type=str, default="train")
    parser.add_argument("--iteration", type=str, default="0")
    parser.add_argument("--pause", type=int, default=0)
    config = parser.parse_args()
    bind_model()
    if config.pause:
        nsml.paused(scope=locals())
    if config.mode == "train":
        output_path = ["./img_list.pkl", "./label_list.pkl"]
        nsml.cache(
            train_data_loader,
            data_path=DATASET_PATH + "/train",
            img_size=(224, 224),
            output_path=output_path,
        )
        differences, labels = (pickle.load(open(path, "rb")) for path in output_path)
        agree = sum((d > 0) == (label == 1) for d, label in zip(differences, labels))
        sign[0] = 1 if agree * 2 > len(labels) else -1
        print("trained on", len(labels), "samples")
        nsml.save("0_540")
