"""One notebook run by papermill in a kernel of the pool."""

from __future__ import annotations

import asyncio
import re
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import papermill
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.log import logger as papermill_logger

from kcrr_analysis import errors
from kcrr_analysis.batch import translator as _translator  # noqa: F401 - registers itself with papermill
from kcrr_analysis.batch.kernels import KernelPool
from kcrr_analysis.batch.manifest import Failure
from kcrr_analysis.batch.parameters_cell import Value

ENGINE = "kcrr"
START_TIMEOUT = 120  # seconds for a kernel to answer

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_USER_ERRORS = {
    name for name, thing in vars(errors).items() if isinstance(thing, type) and issubclass(thing, errors.KcrrError)
}


class NotebookFailed(Exception):  # noqa: N818 - an outcome to record, caught by the batch
    """The notebook did not run to its end.

    Attributes:
        failure: What to record and to tell the reader.
    """

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure.message)


class Engine(NBClientEngine):  # type: ignore[misc]
    """papermill's engine with a kernel manager of the pool and a limit for each cell."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        km: Any = None,
        start_folder: str | None = None,
        env: Mapping[str, str] | None = None,
        cell_timeout: int | None = None,
        **_: Any,
    ) -> Any:
        """Run the cells; papermill's own arguments about logs and files are not used here."""
        client = PapermillNotebookClient(
            nb_man,
            km=km,
            timeout=cell_timeout,
            startup_timeout=START_TIMEOUT,
            kernel_name=kernel_name,
            shutdown_kernel="immediate",
        )
        return client.execute(cwd=start_folder, env=env, cleanup_kc=True)


papermill_engines.register(ENGINE, Engine)


def execute(
    notebook: Path,
    target: Path,
    values: Mapping[str, Value],
    pool: KernelPool,
    *,
    folder: Path,
    cell_timeout: int | None = None,
) -> None:
    """Run a notebook and write the executed one.

    Args:
        notebook: Path of the source; it is not changed.
        target: Where the executed notebook goes.
        values: Parameters to inject.
        pool: Where kernels come from.
        folder: Working folder of the kernel.
        cell_timeout: Seconds that one cell may take; None is no limit.

    Raises:
        NotebookFailed: A cell raised, took too long, or the kernel died.
    """
    try:
        done = _once(notebook, values, pool, folder, cell_timeout)
    except RuntimeError as error:
        if "Kernel died before replying" not in str(error) or pool.closed:
            raise
        done = _once(notebook, values, pool, folder, cell_timeout)  # a lost race for a port does not come twice
    text: str = nbformat.writes(done)  # type: ignore[no-untyped-call]
    target.write_text(text + "\n", encoding="utf-8", newline="\n")


def _once(notebook: Path, values: Mapping[str, Value], pool: KernelPool, folder: Path, cell_timeout: int | None) -> Any:
    papermill_logger.setLevel("ERROR")  # its remarks on parameters are English, and the batch has checked them
    source = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    source.metadata.setdefault("kernelspec", {"name": "python3", "display_name": "Python 3", "language": "python"})
    loop = ensure_event_loop()  # the one that papermill's client will use in this thread
    try:
        with pool.manager() as manager:
            done = papermill.execute_notebook(
                source,
                None,
                parameters=dict(values),
                engine_name=ENGINE,
                progress_bar=False,
                language="python",
                km=manager,
                start_folder=str(folder),
                env=pool.environment,
                cell_timeout=cell_timeout,
                autosave_cell_every=0,
            )
    except PapermillExecutionError as error:
        raise NotebookFailed(_cell_failure(error)) from error
    except CellTimeoutError as error:
        raise NotebookFailed(
            Failure(
                "TimeoutError",
                f"Ячейка выполнялась дольше {cell_timeout} с и остановлена. Сократите данные или увеличьте предел "
                "(--cell-timeout).",
                notebook.stem,
                str(error),
            )
        ) from error
    except DeadKernelError as error:
        raise NotebookFailed(
            Failure(
                "DeadKernelError",
                "Процесс блокнота неожиданно завершился: возможно, не хватило памяти. "
                "Уменьшите число одновременных отчётов (--jobs 1) и повторите с --resume.",
                notebook.stem,
                str(error),
            )
        ) from error
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    # Clock times stay; paths of this machine do not belong into a file that is handed on.
    done.metadata.papermill["input_path"] = notebook.name
    done.metadata.papermill["output_path"] = notebook.name
    return done


def _cell_failure(error: PapermillExecutionError) -> Failure:
    where = f"ячейка {error.exec_count if error.exec_count is not None else error.cell_index + 1}"
    details = _ANSI.sub("", "\n".join(error.traceback))
    if error.ename in _USER_ERRORS:
        return Failure(error.ename, _ANSI.sub("", error.evalue), where, "")
    return _defect(error.ename, error.evalue, where, details)


def defect(error: BaseException) -> Failure:
    """What to record of an error that no user can have caused."""
    text = "".join(traceback.format_exception(error))
    return _defect(type(error).__name__, str(error), "сборка отчёта", text)


def _defect(name: str, message: str, where: str, details: str) -> Failure:
    first = message.strip().splitlines()[0] if message.strip() else "без пояснения"
    return Failure(
        "InternalError",
        f"Внутренняя ошибка ({name}: {first}). Это дефект блокнота или комплекта, а не данных: "
        "передайте разработчику файл manifest.json, в нём записаны подробности.",
        where,
        details,
    )
