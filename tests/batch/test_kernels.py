from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

import nbformat
import pytest

from kcrr_analysis.batch import execution
from kcrr_analysis.batch.execution import NotebookFailed
from kcrr_analysis.batch.kernels import KernelKind, KernelPool, available_kind
from tests.batch.conftest import Kit

pytestmark = pytest.mark.batch

KINDS: tuple[KernelKind, ...] = ("fork", "spawn") if available_kind() == "fork" else ("spawn",)


def outputs(kit: Kit, code: str, pool: KernelPool, **settings: object) -> list[dict[str, object]]:
    source, target = kit.write_notebook("probe", code), kit.base / "done.ipynb"
    execution.execute(source, target, {"title": "Проба «№ 1»"}, pool, folder=kit.base, **settings)  # type: ignore[arg-type]
    done = nbformat.read(target, as_version=4)
    assert "title = 'Проба «№ 1»'" in done.cells[2].source
    return list(done.cells[-1].outputs)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kernel_is_fresh_and_in_its_folder(kit: Kit, kind: KernelKind) -> None:
    code = (
        "import json, os, random\nimport kcrr_analysis, numpy as np\nseen = getattr(kcrr_analysis, 'leak', None)\n"
        "kcrr_analysis.leak = 1\n"
        "print(json.dumps([seen, os.getcwd(), os.environ['KCRR_PROBE'], np.random.rand(), random.random()]))"
    )
    with KernelPool(kind) as pool:
        pool.extra_environment["KCRR_PROBE"] = "да"
        first, second = (outputs(kit, code, pool)[0]["text"] for _ in range(2))
    seen, folder, probe, *_ = json.loads(str(first))
    assert (seen, Path(folder), probe) == (None, kit.base, "да")
    assert str(first).split(",")[-2:] != str(second).split(",")[-2:]
    assert str(second).startswith("[null")


@pytest.mark.parametrize("kind", KINDS)
def test_figures_are_shown(kit: Kit, kind: KernelKind) -> None:
    with KernelPool(kind) as pool:
        shown = outputs(kit, "import matplotlib.pyplot as plt\nplt.plot([1, 2]);", pool)
    assert [sorted(output["data"]) for output in shown if output["output_type"] == "display_data"] == [  # type: ignore[call-overload]
        ["image/png", "text/plain"]
    ]


def test_errors_of_users_are_told_from_defects(kit: Kit) -> None:
    user = "from kcrr_analysis.errors import ParameterError\nraise ParameterError('Плохо. Исправьте.\\nИ это.')"
    with KernelPool() as pool:
        with pytest.raises(NotebookFailed) as caught:
            outputs(kit, user, pool)
        assert (caught.value.failure.kind, caught.value.failure.message) == (
            "ParameterError",
            "Плохо. Исправьте.\nИ это.",
        )
        assert caught.value.failure.traceback == ""
        with pytest.raises(NotebookFailed) as caught:
            outputs(kit, "1 / 0", pool)
        failure = caught.value.failure
        assert failure.kind == "InternalError"
        assert "Внутренняя ошибка (ZeroDivisionError: division by zero)" in failure.message
        assert "1 / 0" in failure.traceback
        assert "\x1b" not in failure.traceback
        with pytest.raises(NotebookFailed) as caught:
            outputs(kit, "import time; time.sleep(60)", pool, cell_timeout=1)
        assert "дольше 1 с" in caught.value.failure.message
        with pytest.raises(NotebookFailed) as caught:
            outputs(kit, "import os; os._exit(3)", pool)
        assert "неожиданно завершился" in caught.value.failure.message


@pytest.mark.parametrize("kind", KINDS)
def test_closing_the_pool_ends_its_kernels(kind: KernelKind) -> None:
    with KernelPool(kind) as pool:
        folder = pool._folder
        manager = pool._new()
        asyncio.run(manager.start_kernel(env=pool.environment))
        process = manager.provisioner.process  # type: ignore[union-attr]
        assert process.poll() is None
    ended = threading.Thread(target=process.wait, daemon=True)
    ended.start()
    ended.join(30)
    manager.context.destroy()
    assert not ended.is_alive()
    assert not folder.exists()
