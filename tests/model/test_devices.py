import pytest
import torch

from model.config import Recipe
from model.devices import (
    Compute,
    cgroup_quota,
    choose_compute,
    has_fast_bfloat16,
    loader_workers,
    prepare_device,
    usable_cores,
)
from model.networks import build_network

CPU = torch.device("cpu")


def network(backbone: str):
    recipe = Recipe(backbone=backbone, narrow_width=4)
    return build_network(recipe, num_classes=5, category_sizes=(), pretrained=False)


def test_the_recipe_s_precision_is_obeyed():
    narrow = network("narrow")
    assert choose_compute("bf16", narrow, CPU) == Compute(CPU, torch.bfloat16, torch.bfloat16)
    assert choose_compute("fp32", narrow, CPU) == Compute(CPU, torch.float32, torch.float32)


def test_auto_trains_depthwise_networks_in_fp32_on_the_cpu():
    fast = torch.bfloat16 if has_fast_bfloat16(CPU) else torch.float32
    assert choose_compute("auto", network("narrow"), CPU) == Compute(CPU, fast, fast)
    depthwise = choose_compute("auto", network("mobilenetv3_small_050"), CPU)
    assert depthwise == Compute(CPU, torch.float32, fast)


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4.0),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({}, None),
    ],
)
def test_a_container_s_quota_is_read(tmp_path, files, quota):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert cgroup_quota(tmp_path) == quota


def test_the_loader_uses_the_cores_at_hand_unless_told():
    assert loader_workers(3, ranks=2) == 3
    assert loader_workers(0, ranks=2) == 0
    assert loader_workers(-1, ranks=1000) == 1


def test_a_small_quota_still_leaves_one_core(tmp_path):
    (tmp_path / "cpu.max").write_text("10000 100000")
    assert usable_cores(tmp_path) == 1


def test_preparing_takes_no_more_threads_than_a_rank_s_share(monkeypatch):
    monkeypatch.setattr("model.devices.usable_cores", lambda: 8)
    before = torch.get_num_threads()
    try:
        for ranks, started_with, threads in ((1, 3, 3), (4, 8, 2), (16, 8, 1)):
            torch.set_num_threads(started_with)
            assert prepare_device(CPU, ranks=ranks) == torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
