"""What can be said of `benchmarks.gpu` where there is no GPU."""

from __future__ import annotations

import pytest
import torch

from benchmarks import gpu


@pytest.mark.skipif(torch.cuda.is_available(), reason="it would run")
def test_without_a_gpu_it_says_so_and_ends(capsys):
    assert gpu.main([]) == 0
    assert capsys.readouterr().out == "gpu: skipped, torch finds no GPU here\n"


def test_the_way_with_the_most_threads_stands_for_all():
    names = [gpu.named(gpu.FILES, 1), gpu.named(gpu.FILES, 16), gpu.named(gpu.FILES, 2)]
    assert gpu.best_of(names, gpu.FILES) == f"{gpu.FILES}, 16 threads"
    assert gpu.best_of(names, gpu.NVJPEG) == gpu.NVJPEG
