"""A real Slurm of one node, for the time of a context: Debian's daemons on loopback.

``munged``, ``slurmctld`` and ``slurmd`` run as children of this process with a key, a
configuration and folders of their own; nothing of the system's is read or changed. Control
groups are not used, so that it works in a container. There is no accounting (``sacct`` wants
a database); instead the controller keeps ended jobs for a day, and ``squeue`` lists them.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from alsct_gui.model.errors import ResourceError

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "srun")
"""What has to be installed: Debian's munge, slurmctld, slurmd and slurm-client."""
NODE = "nid001001"
_START_S = 30.0
_CALL_S = 20.0
_LONGEST_CHARS = 70
"""Of the path of the sockets' folder: a socket's own may have 107, of which a job takes 36."""
_SBIN = "/usr/sbin:/sbin"
_UP = ("idle", "mixed", "allocated", "completing")
"""States of a node that is well."""
_CONFIGURATION = """\
ClusterName=simulated
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={sockets}/munge.socket
CredType=cred/munge
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmctldPort={control_port}
SlurmdPort={node_port}
StateSaveLocation={folder}/state
SlurmdSpoolDir={sockets}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=100000
MinJobAge=86400
ReturnToService=0
MpiDefault=none
KillWait=5
SlurmdParameters=config_overrides
NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={node_port} CPUs=256 \
RealMemory=4000 Feature=cpu State=UNKNOWN
PartitionName=regular Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:8
"""


def slurm_is_installed() -> bool:
    """Whether everything is there that it takes."""
    return all(_found(name) for name in PROGRAMS)


class SlurmCluster:
    """The daemons; use it as a context.

    Parameters
    ----------
    folder
        For configuration, key, state and logs; made, and of a path that Slurm can read. What
        another one, that was killed, has left there is ended, and its jobs are taken up.
        Sockets lie in a temporary folder, because their paths must be short.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Start them and wait until the node is up.

        Raises
        ------
        ResourceError
            They do not start, or are not installed.
        """
        with ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all jobs and the daemons."""
        self._stack.close()

    @property
    def environment(self) -> dict[str, str]:
        """Variables with which Slurm's commands, and the jobs, find this cluster."""
        conf = str(self._folder / "slurm.conf")
        # The program that jobs run is this machine's own, and so is its compiled code.
        return {**os.environ, "SLURM_CONF": conf, "SCRATCH": ""}

    def run(
        self, *words: str, cwd: Path | None = None, path: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one of Slurm's commands.

        Parameters
        ----------
        words
            The command.
        cwd
            Where.
        path
            PATH that it, and a job that it submits, sees.
        """
        environment = {**self.environment, **({"PATH": path} if path else {})}
        return subprocess.run(  # noqa: S603 - Slurm's own commands
            [_found(words[0]) or words[0], *words[1:]], capture_output=True, text=True,
            env=environment, cwd=cwd, timeout=_CALL_S, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip

    def _start(self, stack: ExitStack) -> None:
        folder = self._folder
        (folder / "state").mkdir(parents=True, exist_ok=True)
        self._end_stale()
        sockets = self._sockets()
        stack.callback(shutil.rmtree, sockets, ignore_errors=True)
        key = folder / "munge.key"
        if not key.exists():
            key.write_bytes(secrets.token_bytes(1024))
            key.chmod(0o400)
        configuration = folder / "slurm.conf"
        if not configuration.exists():  # jobs that go on know the ports of before
            control_port, node_port = _free_ports(2)
            text = _CONFIGURATION.format(
                folder=folder, sockets=sockets, node=NODE,
                host=socket.gethostname().partition(".")[0],
                user=_user_name(), control_port=control_port, node_port=node_port,
            )  # fmt: skip
            configuration.write_text(text, encoding="ascii")
        self._daemon(stack, [
            "munged", "--foreground", "--force", f"--key-file={key}",
            f"--socket={sockets}/munge.socket",
            *(f"--{what}-file={folder}/munge.{what}" for what in ("pid", "log", "seed")),
        ])  # fmt: skip
        self._wait(lambda: (sockets / "munge.socket").exists(), "munged")
        self._daemon(stack, ["slurmctld", "-D", "-f", f"{folder}/slurm.conf"])
        self._daemon(stack, ["slurmd", "-D", "-N", NODE, "-f", f"{folder}/slurm.conf"])
        stack.callback(self._end_jobs)
        self._wait(self._is_up, "Slurm")

    def _sockets(self) -> Path:
        """Return a folder of a short path, which sockets want; jobs that go on know it."""
        known = self._folder / "sockets"
        if not known.is_dir():
            known.unlink(missing_ok=True)
            made = Path(tempfile.mkdtemp(prefix="alsct-slurm-"))
            if len(str(made)) > _LONGEST_CHARS:
                made.rmdir()
                raise ResourceError(
                    "the path is too long for Slurm's sockets", where=str(made.parent),
                    fix="Set TMPDIR to a folder of a shorter path",
                )  # fmt: skip
            known.symlink_to(made)
            (self._folder / "slurm.conf").unlink(missing_ok=True)
        return known.readlink()

    def _end_stale(self) -> None:
        """End the daemons that work in this folder for a process that was killed."""
        for name in ("slurmd.pid", "slurmctld.pid", "munge.pid"):
            try:
                pid = int((self._folder / name).read_text(encoding="ascii"))
                known = Path(f"/proc/{pid}/cmdline")
                if str(self._folder).encode() not in known.read_bytes():
                    continue
                os.kill(pid, signal.SIGTERM)
            except (OSError, ValueError):
                continue
            self._wait(lambda: not _reads(known), name)  # noqa: B023 (called at once)

    def _is_up(self) -> bool:
        state = self.run("sinfo", "-h", "-o", "%T").stdout.strip()
        if state.startswith(("down", "drain")):  # as an outage has left it before a kill
            self.run("scontrol", "update", f"nodename={NODE}", "state=resume")
        return state in _UP

    def _daemon(self, stack: ExitStack, words: Sequence[str]) -> None:
        found = _found(words[0])
        if found is None:
            raise ResourceError(
                f"{words[0]} is not installed", where="Slurm",
                fix="On Debian: apt-get install slurmctld slurmd slurm-client munge",
            )  # fmt: skip
        with (self._folder / "daemons.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - the daemons that this is about
                [found, *words[1:]], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.environment, start_new_session=True,
            )  # fmt: skip
        stack.callback(process.wait)
        stack.callback(process.send_signal, signal.SIGTERM)

    def _end_jobs(self) -> None:
        """Cancel all jobs and wait until their processes have gone."""
        self.run("scancel", "--full", f"--user={_user_name()}")
        self._wait(lambda: not self.run("squeue", "-h", "-o", "%i").stdout.split(), "the jobs' end")

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        pause = threading.Event()
        for _ in range(int(_START_S / 0.05)):
            if condition():
                return
            pause.wait(0.05)
        raise ResourceError(
            f"{what} is waited for in vain", where=str(self._folder),
            fix="Read the logs there",
        )  # fmt: skip


def _found(name: str) -> str | None:
    """Path of a program; daemons lie where a person's PATH does not lead."""
    return shutil.which(name) or shutil.which(name, path=_SBIN)


def _reads(path: Path) -> bool:
    """Whether there is something to read in a file of a process: one that is over has nothing."""
    try:
        return bool(path.read_bytes())
    except OSError:
        return False


def _user_name() -> str:
    import pwd

    return pwd.getpwuid(os.geteuid()).pw_name


def _free_ports(count: int) -> list[int]:
    """Return ports of loopback that are free now."""
    with ExitStack() as stack:
        taken = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in taken:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in taken]
