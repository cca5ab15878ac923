"""The command line of the submission."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

import data_loader
import model
import nsml


def parse_arguments(arguments: Sequence[str], summary: str) -> argparse.Namespace:
    """Read the command line; --mode, --pause and --iteration are the platform's."""
    parser = argparse.ArgumentParser(prog="main.py", description=summary, allow_abbrev=False)
    parser.add_argument("--mode", default="train", choices=("train", "test", "infer"))
    parser.add_argument("--pause", type=int, default=0, help="1: wait for the platform")
    parser.add_argument("--iteration", default="0", help="checkpoint of a fork (unused here)")
    parser.add_argument("--recipe", help=f"one of {', '.join(model.RECIPES)}")
    parser.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="change the recipe"
    )
    parser.add_argument("--seed", type=int, help="same as --set seed=N")
    parser.add_argument(
        "--tune", type=int, default=0, metavar="N", help="search the recipe in N trials, then train"
    )
    parser.add_argument("--weights", type=Path, metavar="FILE", help="pretrained backbone")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="holds train/ and test/")
    parser.add_argument(
        "--labels", type=Path, metavar="FILE", help="corrections of train_label, as eda writes them"
    )
    parser.add_argument(
        "--cache",
        metavar="KIND",
        help="same as --set cache=KIND: off, jpeg, raw, or auto, which makes a JPEG cache where "
        "pictures are large, seen more than once, and the disk has room",
    )
    parser.add_argument(
        "--cache-space",
        type=data_loader.gigabytes,
        metavar="GB",
        help="what the cache may take up in all",
    )
    parser.add_argument(
        "--decoder",
        metavar="WHO",
        help="same as --set decoder=WHO: cpu or gpu (nvJPEG); for pictures without a cache",
    )
    parser.add_argument("--load", type=Path, metavar="FOLDER", help="checkpoint to continue from")
    parser.add_argument(
        "--ensemble",
        action="append",
        default=[],
        metavar="SESSION:CHECKPOINT",
        help="instead of training, join this checkpoint with others (repeat; a folder does, too)",
    )
    parser.add_argument(
        "--checkpoints",
        type=Path,
        metavar="FOLDER",
        default=None if nsml.IS_ON_NSML else Path("checkpoints"),
        help="where checkpoints go outside the platform (default: checkpoints)",
    )
    parser.add_argument(
        "--prediction", type=Path, default=Path("prediction.csv"), metavar="FILE", help="of infer"
    )
    parser.add_argument("--dry-run", action="store_true", help="try a submission in seconds")
    return parser.parse_args(arguments)


def chosen_recipe(args: argparse.Namespace) -> model.Recipe:
    """The recipe the command line asks for; without a name, one that suits the machine.

    Raises:
        ConfigError: If there is no such recipe, or it has no such field.
    """
    name = args.recipe or ("effnet_b1" if torch.cuda.is_available() else "smoke")
    seed = [] if args.seed is None else [f"seed={args.seed}"]
    cache = [] if args.cache is None else [f"cache={args.cache}"]
    decoder = [] if args.decoder is None else [f"decoder={args.decoder}"]
    return model.override(model.find_recipe(name), [*args.set, *seed, *cache, *decoder])


def given_dataset(args: argparse.Namespace) -> Path | None:
    """Folder of the dataset, if there is one; of several, the first."""
    found = args.data or nsml.DATASET_PATH
    if isinstance(found, list):
        found = found[0]
    return Path(found) if found else None


def dataset_folder(args: argparse.Namespace) -> Path:
    """Folder of the dataset.

    Raises:
        DataError: If nobody said where it is.
    """
    found = given_dataset(args)
    if found is None:
        raise data_loader.DataError(
            "No dataset was given.",
            "On the platform it comes from `nsml run -d NAME`; elsewhere you say where it is.",
            "Add --data FOLDER, the folder that holds train/ and test/.",
        )
    return found


def given_ingredients(args: argparse.Namespace, device: torch.device) -> list[model.Ingredient]:
    """The checkpoints that --ensemble names, in folders or, inside a session, of any session.

    Args:
        args: The command line.
        device: Where their networks shall live.

    Raises:
        CheckpointError: If one of them does not exist or cannot be read.
    """
    found: list[model.Ingredient] = []

    def read(dir_path: str, **_: object) -> None:
        folder = Path(dir_path)
        ensemble = model.gather_members([folder], device)
        found.append(model.Ingredient(ensemble, model.load_out_of_fold(folder)))

    for place in args.ensemble:
        session, colon, checkpoint = place.rpartition(":")
        if Path(place).is_dir():
            read(place)
            continue
        if not colon or not nsml.IS_ON_NSML:
            raise model.CheckpointError(
                f"--ensemble {place}: no such folder. Give the folder of a checkpoint, or, inside "
                "a session, SESSION:CHECKPOINT, for example team/review_img/1:best."
            )
        try:
            nsml.load(checkpoint, load_fn=read, session=session)
        except KeyError as error:
            raise model.CheckpointError(
                f"--ensemble {place}: {error.args[0]} "
                f"`nsml model ls {session}` lists what there is."
            ) from error
    return found
