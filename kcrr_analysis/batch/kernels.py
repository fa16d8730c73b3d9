"""Kernels that start fast: forked from one process that has imported the heavy libraries.

A fresh kernel spends seconds on imports; with two notebooks for 83 regions that is most of a batch. On POSIX the
standard library's fork server imports them once, single-threaded, and forks a child for each notebook, so that no
notebook sees another's state. Elsewhere (Windows) ordinary kernels are started; the manifest says which.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.context
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Literal

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

KernelKind = Literal["fork", "spawn"]

PRELOAD = "kcrr_analysis.batch.preloaded"
LONGEST_SOCKET_PATH = 90  # a Unix socket's path has at most 104 bytes on some systems


def available_kind() -> KernelKind:
    """How kernels start on this system."""
    return "fork" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


def fork_server() -> multiprocessing.context.ForkServerContext:
    """The fork server's context, set to preload; the server starts with its first child."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([PRELOAD])
    return context


class _KernelProcess:
    """A forked kernel with the face of a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, process: BaseProcess) -> None:
        self._process = process
        self.pid = process.pid

    def poll(self) -> int | None:
        return None if self._process.is_alive() else self._process.exitcode

    def wait(self) -> int | None:
        self._process.join()
        return self._process.exitcode

    def send_signal(self, signum: int) -> None:
        if self.pid is not None and self._process.is_alive():
            os.kill(self.pid, signum)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class ForkProvisioner(LocalProvisioner):
    """Has the fork server start the kernel."""

    start: Callable[..., BaseProcess]

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork a kernel that takes the arguments of `cmd`."""
        arguments = cmd[cmd.index("-f") :]
        process = self.start(arguments, str(kwargs.get("cwd") or Path.cwd()), dict(kwargs.get("env") or os.environ))
        self.process = _KernelProcess(process)  # type: ignore[assignment]
        self.pid = process.pid
        self.pgid = None
        return self.connection_info


def _run_kernel(arguments: list[str], cwd: str, env: dict[str, str]) -> None:
    """The life of a forked kernel."""
    os.setsid()  # Ctrl-C in the terminal is for the batch, which then ends its kernels
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()  # else every child would continue the server's random stream
    matplotlib = sys.modules.get("matplotlib")
    if matplotlib is not None and env.get("MPLBACKEND"):
        matplotlib.rcParams["backend"] = env["MPLBACKEND"]
    from ipykernel.kernelapp import IPKernelApp

    sys.argv = ["ipykernel_launcher", *arguments]
    app = IPKernelApp.instance(parent_handle=os.getppid())  # ends with the fork server
    app.initialize(sys.argv[1:])  # type: ignore[no-untyped-call]
    app.start()  # type: ignore[no-untyped-call]


class KernelPool:
    """Starts kernels, and ends every one of them when it is closed.

    Use as a context manager.

    Attributes:
        kind: fork or spawn.
        closed: No more kernels are started.
        extra_environment: Variables that kernels get beside the batch's own.
    """

    def __init__(self, kind: KernelKind | None = None) -> None:
        self.kind: KernelKind = kind or available_kind()
        self._lock = threading.Lock()
        self._live: set[AsyncKernelManager] = set()
        self.closed = False
        self._number = 0
        self.extra_environment: dict[str, str] = {}
        self._folder = Path(tempfile.mkdtemp(prefix="kcrr-"))
        longest = len(os.fsencode(self._folder / "k000000-ipc-5"))
        self._transport = "ipc" if os.name == "posix" and longest <= LONGEST_SOCKET_PATH else "tcp"
        self._context = fork_server() if self.kind == "fork" else None

    def __enter__(self) -> KernelPool:
        """The pool itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End all kernels and remove their files."""
        self.close()

    @property
    def environment(self) -> dict[str, str]:
        """Environment of a kernel."""
        return {**os.environ, **self.extra_environment}

    def warm_up(self) -> None:
        """Have the fork server begin its imports while the batch does something else."""
        if self._context is not None:
            from multiprocessing.forkserver import ensure_running

            ensure_running()

    @contextlib.contextmanager
    def manager(self) -> Iterator[AsyncKernelManager]:
        """A manager of one new kernel, not yet started; the kernel is ended on leaving."""
        manager = self._new()
        try:
            yield manager
        finally:
            with self._lock:
                self._live.discard(manager)
            _kill(manager)

    def _new(self) -> AsyncKernelManager:
        with self._lock:
            if self.closed:
                raise RuntimeError("the kernel pool is closed")
            self._number += 1
            manager = AsyncKernelManager(
                connection_file=str(self._folder / f"k{self._number}.json"),
                transport=self._transport,
                shutdown_wait_time=2.0,
            )
            # The kernel runs in the batch's own Python, whatever kernel specifications are installed.
            manager._kernel_spec = KernelSpec(
                argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
                display_name="Python 3",
                language="python",
            )
            if self._context is not None:
                provisioner = ForkProvisioner(kernel_spec=manager.kernel_spec, parent=manager)
                provisioner.start = self._fork
                manager.provisioner = provisioner
            self._live.add(manager)
            return manager

    def _fork(self, arguments: list[str], cwd: str, env: dict[str, str]) -> BaseProcess:
        assert self._context is not None
        process = self._context.Process(target=_run_kernel, args=(arguments, cwd, env), daemon=True)
        with self._lock:
            process.start()
        return process

    def close(self) -> None:
        """End all kernels at once; notebooks that still run in them fail."""
        with self._lock:
            self.closed = True
            live = list(self._live)
        for manager in live:
            _kill(manager)
        shutil.rmtree(self._folder, ignore_errors=True)


def _kill(manager: AsyncKernelManager) -> None:
    process = getattr(manager.provisioner, "process", None)
    if process is not None:
        with contextlib.suppress(OSError):
            process.kill()
