import stat

import pytest

from nsml_shim.sessions.machine import machine_slots, usable_cores

TWO_GPUS = """\
GPU 0: NVIDIA H200 (UUID: GPU-aaaa-1)
GPU 1: NVIDIA H200 (UUID: GPU-bbbb-2)
"""
PARTITIONED = """\
GPU 0: NVIDIA A100 (UUID: GPU-aaaa-1)
  MIG 1g.10gb     Device  0: (UUID: MIG-1111)
  MIG 1g.10gb     Device  1: (UUID: MIG-2222)
GPU 1: NVIDIA A100 (UUID: GPU-bbbb-2)
"""


@pytest.fixture
def machine(tmp_path):
    """A machine whose nvidia-smi prints what it is told, and that has no other driver files."""

    def build(listing, status=0, **environ):
        program = tmp_path / "bin" / "nvidia-smi"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{listing}END\nexit {status}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return machine_slots(
            {"PATH": f"{program.parent}:/usr/bin:/bin", **environ}, proc=tmp_path / "proc"
        )

    return build


@pytest.mark.parametrize(
    ("listing", "visible", "names"),
    [
        pytest.param(TWO_GPUS, None, ("0", "1"), id="all"),
        pytest.param(TWO_GPUS, "1", ("1",), id="by number"),
        pytest.param(TWO_GPUS, "GPU-bbbb,0", ("1", "0"), id="by beginning of the uuid"),
        pytest.param(TWO_GPUS, "0,GPU-aaaa-1", ("0",), id="the same one twice"),
        pytest.param(TWO_GPUS, "1,-1,0", ("1",), id="nothing after an invalid one"),
        pytest.param(PARTITIONED, None, ("MIG-1111", "MIG-2222", "1"), id="partitions"),
        pytest.param(PARTITIONED, "MIG-2222", ("MIG-2222",), id="one partition"),
        pytest.param(PARTITIONED, "0", ("MIG-1111",), id="number of a partitioned gpu"),
    ],
)
def test_gpus_are_named_as_cuda_names_them(machine, listing, visible, names):
    environ = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    slots = machine(listing, **environ)
    assert (slots.kind, slots.names) == ("gpu", names)


@pytest.mark.parametrize("visible", ["", "-1"])
def test_hidden_gpus_leave_cpu_workers(machine, visible):
    assert machine(TWO_GPUS, CUDA_VISIBLE_DEVICES=visible).kind == "cpu"


def test_a_broken_driver_leaves_cpu_workers(machine):
    assert machine("NVIDIA-SMI has failed\n", status=9).kind == "cpu"


def test_the_files_of_the_driver_are_enough(tmp_path):
    for bus, uuid in (("0000:1b:00.0", "GPU-bbbb"), ("0000:03:00.0", "GPU-aaaa")):
        folder = tmp_path / "driver/nvidia/gpus" / bus
        folder.mkdir(parents=True)
        (folder / "information").write_text(f"Model: \t NVIDIA\nGPU UUID: \t {uuid}\n")
    environ = {"PATH": str(tmp_path), "CUDA_VISIBLE_DEVICES": "GPU-bbbb"}
    assert machine_slots(environ, proc=tmp_path).names == ("1",)


def test_even_one_core_takes_two_workers(tmp_path):
    assert len(machine_slots({"PATH": ""}, proc=tmp_path).names) >= 2


@pytest.mark.parametrize(
    ("groups", "files", "cores"),
    [
        pytest.param("0::/a/b\n", {"a/b/cpu.max": "100000 100000"}, 1, id="version 2"),
        pytest.param("0::/a/b\n", {"a/cpu.max": "150000 100000"}, 1, id="a parent's quota"),
        pytest.param("0::/\n", {"cpu.max": "5000 100000"}, 1, id="less than a core"),
        pytest.param(
            "4:cpu,cpuacct:/x\n",
            {
                "cpu,cpuacct/x/cpu.cfs_quota_us": "100000",
                "cpu,cpuacct/x/cpu.cfs_period_us": "100000",
            },
            1,
            id="version 1",
        ),
        pytest.param(
            "4:cpu:/host/path\n",
            {"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"},
            1,
            id="version 1 in a container",
        ),
    ],
)
def test_a_quota_of_the_control_group_limits_the_cores(tmp_path, groups, files, cores):
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "cgroup").write_text(groups)
    for name, text in files.items():
        (tmp_path / "groups" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "groups" / name).write_text(text)
    assert usable_cores(proc=tmp_path, cgroups=tmp_path / "groups") == cores


def test_without_a_quota_the_affinity_counts(tmp_path):
    import os

    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "cgroup").write_text("0::/\n")
    (tmp_path / "cpu.max").write_text("max 100000")
    assert usable_cores(proc=tmp_path, cgroups=tmp_path) == len(os.sched_getaffinity(0))
