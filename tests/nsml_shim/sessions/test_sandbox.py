import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import pytest

import nsml_shim
from nsml_shim.errors import NoSandbox
from nsml_shim.sessions.processes import is_alive
from nsml_shim.sessions.sandbox import Mount, Sandbox, find_sandbox, why_unusable


@pytest.fixture(params=["bubblewrap", "landlock"])
def sandbox(request):
    if trouble := why_unusable(request.param):
        pytest.skip(trouble)
    return find_sandbox(request.param)


class House:
    """A platform's home: labels, a database, a session's code, test data, an output folder."""

    def __init__(self, root, sandbox: Sandbox):
        self.sandbox, self.root = sandbox, root
        self.code, self.data, self.out = root / "내 code", root / "test data", root / "out"
        for folder in (self.code, self.data, self.out):
            folder.mkdir()
        self.labels = root / "test_label"
        self.labels.write_text("secret")
        self.database = root / "platform.db"
        self.database.write_text("secret")
        (self.data / "1.jpg").write_text("pixels")

    def seen(self, folder, target):
        return target if self.sandbox.remaps else str(folder)

    def command(self, program, network=False):
        mounts = [
            Mount(self.code, self.seen(self.code, "/app")),
            Mount(self.data, self.seen(self.data, "/data/review_img/test/test_data")),
            Mount(self.out, self.seen(self.out, "/out"), writable=True),
        ]
        (self.code / "main.py").write_text(textwrap.dedent(program))
        return self.sandbox.wrap(
            [sys.executable, "-u", "main.py"],
            mounts=mounts,
            workdir=self.seen(self.code, "/app"),
            network=network,
            env={**os.environ, "LABELS": str(self.labels), "DATABASE": str(self.database)}
            | {"DATA": mounts[1].target, "OUT": mounts[2].target},
            hidden=[self.root],
        )

    def run(self, program, network=False):
        command, env = self.command(f"import json, os\n{textwrap.dedent(program)}", network)
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def house(tmp_path, sandbox):
    return House(tmp_path, sandbox)


ATTEMPTS = """
    import errno, sys
    outcomes = {}
    def attempt(name, action):
        try:
            action()
            outcomes[name] = "done"
        except OSError as error:
            outcomes[name] = "refused"
"""


def test_a_process_finds_what_it_was_given_and_may_write_where_it_was_allowed(house):
    program = """
        import tempfile
        open(os.path.join(os.environ["OUT"], "prediction"), "w").write("0")
        tempfile.mkdtemp(dir=os.environ["HOME"])
        print(json.dumps([os.getcwd(), open(os.environ["DATA"] + "/1.jpg").read()]))
    """
    assert house.run(program) == [house.seen(house.code, "/app"), "pixels"]
    assert (house.out / "prediction").read_text() == "0"


def test_labels_and_database_cannot_be_read_by_any_name(house):
    program = (
        ATTEMPTS
        + """
    labels, out = os.environ["LABELS"], os.environ["OUT"]
    attempt("labels", lambda: open(labels).read())
    attempt("database", lambda: open(os.environ["DATABASE"]).read())
    attempt("home", lambda: os.listdir(os.path.dirname(labels)))
    attempt("parent", lambda: open(os.environ["DATA"] + "/../../../../../../.." + labels).read())
    os.symlink(labels, out + "/link")
    attempt("symbolic link", lambda: open(out + "/link").read())
    attempt("hard link", lambda: os.link(labels, out + "/hard"))
    attempt("descriptor", lambda: open("/proc/%d/root%s" % (os.getppid(), labels)).read())
    attempt("first process", lambda: open("/proc/1/root" + labels).read())
    attempt("rename", lambda: os.rename(labels, out + "/moved"))
    attempt("shadow", lambda: open("/etc/shadow").read())
    print(json.dumps(outcomes))
    """
    )
    assert set(house.run(program).values()) == {"refused"}
    assert house.labels.read_text() == "secret"


def test_what_is_read_only_stays_as_it_is(house):
    program = (
        ATTEMPTS
        + """
    data, code = os.environ["DATA"], os.getcwd()
    attempt("overwrite", lambda: open(data + "/1.jpg", "w"))
    attempt("truncate", lambda: os.truncate(data + "/1.jpg", 0))
    attempt("remove", lambda: os.unlink(data + "/1.jpg"))
    attempt("new", lambda: open(code + "/new.py", "w"))
    attempt("folder", lambda: os.mkdir(data + "/new"))
    attempt("interpreter", lambda: open(sys.prefix + "/evil.pth", "w"))
    attempt("system", lambda: open("/usr/evil", "w"))
    attempt("root", lambda: os.mkdir("/evil"))
    attempt("switch", lambda: open("/proc/sys/kernel/core_pattern", "r+"))
    attempt("keyboard", lambda: open("/proc/sysrq-trigger", "r+"))
    attempt("device", lambda: os.mknod(os.environ["OUT"] + "/disk", 0o60600, os.makedev(254, 0)))
    print(json.dumps(outcomes))
    """
    )
    assert set(house.run(program).values()) == {"refused"}
    assert (house.data / "1.jpg").read_text() == "pixels"


def test_nobody_outside_can_be_reached_but_its_own_loopback_works(house):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        program = (
            ATTEMPTS
            + f"""
    import socket
    listener = ("127.0.0.1", {listener.getsockname()[1]})
    attempt("host", lambda: socket.create_connection(listener, 2))
    attempt("world", lambda: socket.create_connection(("192.0.2.1", 53), 2))
    def datagram():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"labels", ("192.0.2.1", 53))
    attempt("datagram", datagram)
    own = socket.create_server(("127.0.0.1", 0))
    attempt("own loopback", lambda: socket.create_connection(own.getsockname(), 2))
    print(json.dumps(outcomes))
    """
        )
        outcomes = house.run(program)
    assert outcomes.pop("own loopback") == "done"
    assert set(outcomes.values()) == {"refused"}


@pytest.mark.usefixtures("loopback")
def test_with_a_network_the_host_can_be_reached(house):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        program = (
            ATTEMPTS
            + f"""
    import socket
    listener = ("127.0.0.1", {listener.getsockname()[1]})
    attempt("host", lambda: socket.create_connection(listener, 2))
    print(json.dumps(outcomes))
    """
        )
        assert house.run(program, network=True) == {"host": "done"}


def test_processes_outside_cannot_be_signalled_or_inspected(house):
    program = (
        ATTEMPTS
        + f"""
    attempt("signal", lambda: os.kill({os.getpid()}, 0))
    attempt("environment", lambda: open("/proc/{os.getpid()}/environ").read())
    print(json.dumps(outcomes))
    """
    )
    assert set(house.run(program).values()) == {"refused"}


def test_root_has_no_powers_inside(house):
    program = """
        lines = open("/proc/self/status").read().splitlines()
        powers = [line.split()[1] for line in lines if line.startswith(("CapEff", "CapPrm"))]
        print(json.dumps(powers))
    """
    assert {int(word, 16) for word in house.run(program)} == {0}


def test_the_exit_status_comes_through(house):
    command, env = house.command("import sys; sys.exit(7)")
    assert subprocess.run(command, env=env, check=False).returncode == 7
    command, env = house.command("import os; os.kill(os.getpid(), 9)")
    assert subprocess.run(command, env=env, check=False).returncode == 128 + 9


PARENT = """
import json, subprocess, sys, time
command, env = json.loads(sys.argv[1])
subprocess.Popen(command, env=env)
time.sleep(60)
"""
NAP = f"sleep 61.{os.getpid()}"  # tells our sleepers from those of another run
LINGERING = f"""
import os, subprocess, time
subprocess.Popen({NAP.split()!r}, start_new_session=True)
open(os.environ["OUT"] + "/ready", "w").close()
time.sleep(60)
"""


def sleepers():
    left = subprocess.run(["ps", "-A", "-o", "args="], capture_output=True, text=True, check=True)
    return [line for line in left.stdout.splitlines() if line == NAP]


def within(seconds, condition):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_everything_dies_with_the_parent(house):
    command = [sys.executable, "-c", PARENT, json.dumps(house.command(LINGERING))]
    parent = subprocess.Popen(command)
    assert within(20, (house.out / "ready").exists)
    assert sleepers()
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    assert within(10, lambda: not sleepers())


def test_what_a_process_leaves_behind_dies_with_it(house):
    command, env = house.command(LINGERING.replace("time.sleep(60)", ""))
    subprocess.run(command, env=env, check=True)
    assert within(5, lambda: not sleepers())


def test_terminating_the_wrapper_terminates_the_guest(house):
    command, env = house.command(LINGERING)
    wrapper = subprocess.Popen(command, env=env)
    assert within(20, (house.out / "ready").exists)
    wrapper.terminate()
    assert wrapper.wait(10) != 0
    assert not is_alive(wrapper.pid)
    assert within(10, lambda: not sleepers())


NOBODY = 65534
AS_NOBODY = """
import json, os, subprocess, sys
from pathlib import Path
from nsml_shim.sessions.sandbox import Mount, find_sandbox
folder, program = Path(sys.argv[2]), sys.argv[3]
sandbox = find_sandbox(sys.argv[1])
app = "/app" if sandbox.remaps else str(folder / "app")
command, env = sandbox.wrap([sys.executable, "-c", program, str(folder / "labels")],
    mounts=[Mount(folder / "app", app)], workdir=app, network=False, env=os.environ)
sys.exit(subprocess.run(command, env=env).returncode)
"""


@pytest.mark.parametrize("name", ["bubblewrap", "landlock"])
def test_an_ordinary_user_can_use_it_as_well(name):
    python = "/usr/bin/python3"
    if os.getuid() != 0 or not shutil.which("setpriv") or not os.path.exists(python):
        pytest.skip("needs root, to become somebody else, and a Python that everybody may run")
    folder = Path(tempfile.mkdtemp(prefix="nsml 한글 "))
    try:
        (folder / "app").mkdir()
        (folder / "labels").write_text("secret")
        folder.chmod(0o755)
        program = "import os, sys\nos.stat('.')\nopen(sys.argv[1])"
        command = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", python]
        command += ["-c", AS_NOBODY, name, str(folder), program]
        # The repository may lie where only its owner can go.
        shutil.copytree(Path(nsml_shim.__file__).parent, folder / "lib" / "nsml_shim")
        environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(folder / "lib")}
        done = subprocess.run(
            command, env=environ, cwd="/", capture_output=True, text=True, check=False
        )
    finally:
        shutil.rmtree(folder)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(("PermissionError", "FileNotFoundError"))
    assert "labels" in done.stderr.splitlines()[-1]


def test_a_home_inside_the_interpreter_s_folder_is_covered_or_refused(tmp_path, sandbox):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "v"], check=True)
    home = tmp_path / "v" / "nsml home"
    home.mkdir()
    (home / "labels").write_text("secret")
    program = f"import os; print(os.path.exists({str(home / 'labels')!r}))"

    def wrapped():
        return sandbox.wrap(
            [str(tmp_path / "v" / "bin" / "python"), "-c", program],
            mounts=[],
            workdir="/usr",
            network=False,
            env=os.environ,
            hidden=[home],
        )

    if sandbox.remaps:
        command, env = wrapped()
        assert (
            subprocess.run(command, env=env, capture_output=True, check=True).stdout == b"False\n"
        )
    else:
        with pytest.raises(NoSandbox, match="NSML_HOME"):
            wrapped()


def test_a_mount_over_the_interpreter_is_refused(tmp_path):
    if why_unusable("bubblewrap"):
        pytest.skip("needs bubblewrap")
    with pytest.raises(NoSandbox, match="interpreter lies in"):
        find_sandbox("bubblewrap").wrap(
            [sys.executable],
            mounts=[Mount(tmp_path, sys.prefix)],
            workdir="/",
            network=False,
            env=os.environ,
        )


def test_an_unknown_sandbox_is_refused_naming_those_there_are():
    with pytest.raises(NoSandbox, match="bubblewrap or landlock"):
        find_sandbox("docker")


def test_without_any_sandbox_only_the_owner_s_consent_helps(tmp_path):
    program = textwrap.dedent(
        """
        import sys
        from nsml_shim.errors import NoSandbox
        from nsml_shim.sessions import landlock, sandbox
        landlock.__file__ = "/nonexistent"  # a kernel without it
        try:
            sandbox.find_sandbox()
        except NoSandbox as error:
            assert "apt-get install bubblewrap" in str(error) and "allow_unsandboxed" in str(error)
        bare = sandbox.find_sandbox(allow_unsandboxed=True)
        command, env = bare.wrap(
            ["/bin/pwd"], mounts=[], workdir=sys.argv[1], network=False, env={}
        )
        import subprocess
        assert subprocess.check_output(command, text=True).strip() == sys.argv[1]
        """
    )
    environ = {**os.environ, "PATH": "/nowhere"}
    folder = tmp_path / "a 한글 folder"
    folder.mkdir()
    subprocess.run([sys.executable, "-c", program, folder], env=environ, check=True)


def test_where_no_network_namespace_can_be_had_a_filter_refuses_every_socket_but_local_ones():
    if why_unusable("landlock"):
        pytest.skip("needs Landlock")
    program = textwrap.dedent(
        """
        import ctypes, errno, socket, sys
        from nsml_shim.sessions import landlock
        landlock._leave_network = lambda: False  # a machine that forbids namespaces
        readable = ("/usr", "/lib", "/proc", *sys.path)
        landlock.restrict(landlock.Rules(readable, (), (), network=False, workdir="/"))
        for family in (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK):
            try:
                socket.socket(family, socket.SOCK_DGRAM)
            except PermissionError:
                continue
            sys.exit(f"family {family} was allowed")
        local, other = socket.socketpair()
        local.send(b"x")
        assert other.recv(1) == b"x"
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.syscall(425, 1, 0) == -1 and ctypes.get_errno() == errno.EACCES
        """
    )
    subprocess.run([sys.executable, "-c", program], check=True)
