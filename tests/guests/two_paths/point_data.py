def read(path):
    with open(path) as f:
        return [float(value) for value in f.read().split(",")]


def write(path, values):
    with open(path, "w") as f:
        f.write(",".join(map(str, values)))
