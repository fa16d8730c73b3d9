"""The command line: `kcrr check | report | render | protocol | demo`, in Russian.

argparse writes its own words in English; `_Parser` and `_Help` put Russian ones in their place. Rooms are imported by
the command that needs them, so that `kcrr --help` answers at once.
"""

from __future__ import annotations

import argparse
import errno
import io
import os
import re
import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from kcrr_analysis.errors import KcrrError, ParameterError

if TYPE_CHECKING:
    from kcrr_analysis.tables import CheckResult

OK, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

_TRANSLATED = (
    (r"the following arguments are required: (.*)", r"не указано: \1"),
    (r"argument (.+?): expected one argument", r"после \1 нужно значение"),
    (r"argument (.+?): expected at least one argument", r"после \1 нужно хотя бы одно значение"),
    (r"argument (.+?): ignored explicit argument (.*)", r"у ключа \1 значения быть не должно, а записано \2"),
    (
        r"argument (?:КОМАНДА|command): invalid choice: (.+?) \(choose from (.*)\)",
        r"команды \1 нет. Есть: \2",
    ),
    (
        r"argument (.+?): invalid choice: (.+?) \(choose from (.*)\)",
        r"\1: значение \2 не допускается. Допустимы: \3",
    ),
    (r"argument (.+?): invalid .+? value: (.*)", r"\1: значение \2 не подходит"),
    (r"argument (.+?): not allowed with argument (.*)", r"\1 нельзя указать вместе с \2"),
    (r"argument (.+?): (.*)", r"\1: \2"),
)


class _Help(argparse.RawDescriptionHelpFormatter):
    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[object],
        prefix: str | None = None,
    ) -> None:
        super().add_usage(usage, actions, groups, prefix or "Вызов: ")  # type: ignore[arg-type]


class _Parser(argparse.ArgumentParser):
    def __init__(self, **settings: object) -> None:
        super().__init__(formatter_class=_Help, add_help=False, allow_abbrev=False, **settings)  # type: ignore[arg-type]
        self._positionals.title = "Что указать"
        self._optionals.title = "Ключи"
        self.add_argument("-h", "--help", action="help", help="показать эту справку")

    def parse_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        found, unknown = self.parse_known_args(args, namespace)
        if unknown:
            self._unknown(unknown, getattr(found, "parser", self))
        return found

    def _unknown(self, unknown: Sequence[str], parser: argparse.ArgumentParser) -> NoReturn:
        known = [option for action in parser._actions for option in action.option_strings]
        said = []
        for word in unknown:
            near = get_close_matches(word.split("=")[0], known, n=1)
            said.append(f"«{word}»" + (f" (возможно, {near[0]})" if near else ""))
        parser.error(f"лишнее или неизвестное: {', '.join(said)}")

    def error(self, message: str) -> NoReturn:
        for pattern, russian in _TRANSLATED:
            if re.fullmatch(pattern, message):
                message = re.sub(pattern, russian, message)
                break
        message = re.sub(r"'([^']*)'", r"«\1»", message)
        self.exit(BAD_INPUT, f"Ошибка: {message}.\n{self.format_usage()}Справка: {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run `kcrr` and exit: 0 done, 1 some reports failed or the data have errors, 2 bad input, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a Windows console may lack Russian letters or signs
            stream.reconfigure(encoding="utf-8", errors="replace")
    asked = _parser().parse_args(arguments)
    try:
        code = asked.command(asked)
    except KeyboardInterrupt:
        print("Остановлено.", file=sys.stderr)
        code = INTERRUPTED
    except KcrrError as error:
        print(error, file=sys.stderr)
        code = getattr(error, "exit_code", BAD_INPUT)
    sys.exit(code)


def _say(text: object) -> None:
    """Print; a reader that has seen enough (`kcrr check … | head`) changes neither the work nor its exit code."""
    try:
        print(text, flush=True)
    except OSError as error:
        if not isinstance(error, BrokenPipeError) and error.errno != errno.EINVAL:  # EINVAL is Windows' broken pipe
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains when it ends


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="kcrr",
        description="Отчёты кадровых центров «Работа России» о привлечении клиентов: проверка данных и построение.",
        epilog="Справка по команде: kcrr КОМАНДА --help",
    )
    parser.add_argument("--version", action="store_true", help="показать версию")
    parser.set_defaults(command=lambda asked: _version(asked, parser))
    commands = parser.add_subparsers(title="Команды", metavar="КОМАНДА", parser_class=_Parser, prog="kcrr")
    _check_parser(commands)
    _report_parser(commands)
    _render_parser(commands)
    _protocol_parser(commands)
    _demo_parser(commands)
    return parser


def _command(commands: argparse._SubParsersAction[_Parser], name: str, help_: str, about: str) -> _Parser:
    parser = commands.add_parser(name, help=help_, description=about)
    parser.set_defaults(parser=parser)
    return parser


def _check_parser(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = _command(
        commands,
        "check",
        "проверить данные",
        "Читает все таблицы папки и называет каждую ошибку: файл, строку, столбец, значение и что сделать.\n"
        "Код выхода: 0 – ошибок нет, 1 – ошибки есть, 2 – папки нет или ключи неверны.",
    )
    parser.add_argument("data", metavar="ПАПКА", type=Path, help="папка с данными")
    parser.add_argument("--mapping", metavar="ФАЙЛ", type=Path, help="файл соответствия для чужих выгрузок")
    parser.add_argument("--region", metavar="КОД", help="только этот регион")
    parser.add_argument("--limit", metavar="N", type=_positive, default=50, help="сколько ошибок показать (50)")
    parser.set_defaults(command=_check)


def _report_parser(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = _command(
        commands,
        "report",
        "построить отчёты по регионам",
        "Выполняет блокноты для каждого региона и складывает отчёты в ПАПКА/<run>/<регион>/.\n"
        "Код выхода: 0 – готовы все, 1 – часть не готова, 2 – данные или параметры неверны.",
    )
    parser.add_argument("--params", metavar="ФАЙЛ", type=Path, help="параметры запуска (YAML), указать обязательно")
    parser.add_argument("--out", metavar="ПАПКА", type=Path, help="куда складывать (reports)")
    parser.add_argument("--regions", metavar="А,Б", type=_codes, help="только эти регионы, коды через запятую")
    parser.add_argument("--jobs", metavar="N", type=_positive, help="сколько отчётов строить сразу (по числу ядер)")
    parser.add_argument("--resume", action="store_true", help="строить только недостающее и то, чьи данные изменились")
    parser.add_argument(
        "--cell-timeout", metavar="СЕКУНД", type=_positive, default=1800, help="предел на ячейку (1800)"
    )
    parser.add_argument(
        "--kernel",
        choices=("fork", "spawn"),
        help="как запускать процессы блокнотов (сам выбирает быстрейший)",
    )
    parser.set_defaults(command=_report)


def _render_parser(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = _command(
        commands,
        "render",
        "сделать HTML, Word и JSON из выполненного блокнота",
        "Берёт отчёт из последней ячейки выполненного блокнота. Рядом появятся .html, .docx и .json.",
    )
    parser.add_argument("notebook", metavar="БЛОКНОТ", type=Path, help="выполненный .ipynb")
    parser.add_argument("--out", metavar="ПАПКА", type=Path, help="куда писать (рядом с блокнотом)")
    parser.add_argument("--template", metavar="ФАЙЛ", type=Path, help="шаблон .docx со стилями региона")
    parser.set_defaults(command=_render)


def _protocol_parser(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = _command(
        commands,
        "protocol",
        "зафиксировать протокол апробации",
        "Проверяет протокол и дописывает в файл строку hash; протокол с такой строкой только сверяется с ней.\n"
        "Код выхода: 0 – зафиксирован и не изменён, 1 – изменён после фиксации, 2 – файл неверен.",
    )
    parser.add_argument("file", metavar="ФАЙЛ", type=Path, help="протокол, например params/pilots/pilot-2026-1.yaml")
    parser.set_defaults(command=_protocol)


def _demo_parser(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = _command(
        commands,
        "demo",
        "создать демонстрационные данные",
        "Пишет вымышленные данные с известной правдой: на них проверяют отчёты и учатся.",
    )
    parser.add_argument("--out", metavar="ПАПКА", type=Path, default=Path("data/demo"), help="куда (data/demo)")
    parser.add_argument("--regions", metavar="N", type=_positive, default=10, help="число регионов (10)")
    parser.add_argument("--seed", metavar="N", type=_whole, help="зерно случайных чисел")
    parser.set_defaults(command=_demo)


def _positive(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise argparse.ArgumentTypeError(f"нужно целое число не меньше 1, а записано «{text}»")
    return int(text)


def _whole(text: str) -> int:
    if not re.fullmatch(r"0|[1-9][0-9]{0,8}", text):
        raise argparse.ArgumentTypeError(f"нужно целое неотрицательное число, а записано «{text}»")
    return int(text)


def _codes(text: str) -> tuple[str, ...]:
    codes = tuple(code.strip() for code in text.split(","))
    if not all(codes):
        raise argparse.ArgumentTypeError(f"нужны коды через запятую, а записано «{text}»")
    return tuple(dict.fromkeys(codes))


def _version(asked: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from kcrr_analysis import __version__

    if not asked.version:
        parser.error("не указана команда. Есть: check, report, render, protocol, demo")
    _say(f"kcrr {__version__}")
    return OK


def _check(asked: argparse.Namespace) -> int:
    from kcrr_analysis import paths, tables

    mapping = paths.resolve(asked.mapping) if asked.mapping else None
    result = tables.check(paths.resolve(asked.data), region=asked.region, mapping=mapping)
    if asked.region is not None:
        _refuse_unknown(asked, mapping, result)
    if not result.sources and not result.errors:
        raise ParameterError(
            f"В папке {asked.data} нет ни одной таблицы. Положите в неё файлы с именами таблиц: centers.csv, "
            "flow.xlsx, population.csv … (список — docs/tables.md) или укажите файл соответствия ключом --mapping."
        )
    _say(result.text(limit=asked.limit))
    return FAILED if result.errors else OK


def _refuse_unknown(asked: argparse.Namespace, mapping: Path | None, result: CheckResult) -> None:
    """Refuse a region that the data do not name: nothing of it was checked, so nothing may be called sound."""
    from kcrr_analysis import paths, tables
    from kcrr_analysis.batch import data_regions, params

    if asked.region in dict(result.tables.regions):
        return
    known = data_regions.named(tables.check(paths.resolve(asked.data), mapping=mapping))
    if known or not result.errors:  # where nothing at all can be read, the errors say why
        params.chosen_regions((asked.region,), known, "--region")


def _report(asked: argparse.Namespace) -> int:
    from kcrr_analysis import paths
    from kcrr_analysis.batch import progress, run

    if asked.params is None:  # argparse would say this before it names a misspelt key
        asked.parser.error("не указано: --params ФАЙЛ")

    done = run.run(
        paths.resolve(asked.params),
        out=asked.out,
        regions=asked.regions,
        jobs=asked.jobs,
        resume=asked.resume,
        kernel=asked.kernel,
        cell_timeout=asked.cell_timeout,
        progress=progress.Progress(),
    )
    _say(run.summary(done))
    return OK if done.delivered else FAILED


def _render(asked: argparse.Namespace) -> int:
    from kcrr_analysis import paths
    from kcrr_analysis.reporting import notebook_files, render

    notebook = paths.resolve(asked.notebook)
    template = paths.resolve(asked.template) if asked.template else None
    folder = paths.resolve(asked.out) if asked.out else notebook.parent
    for file in render.write(notebook_files.extract(notebook), folder, notebook.stem, template=template).values():
        _say(file)
    return OK


def _protocol(asked: argparse.Namespace) -> int:
    from kcrr_analysis.experiments.fixing import fix

    protocol = fix(asked.file)
    if protocol.altered:
        _say(
            f"Протокол «{protocol.pilot}» изменён после фиксации: строка hash не соответствует содержанию. "
            "Верните прежний текст или сохраните новый протокол под другим именем и кодом, без строки hash."
        )
        return FAILED
    _say(f"Протокол «{protocol.pilot}» зафиксирован: {protocol.hash[:12]}. Не меняйте файл до конца апробации.")
    return OK


def _demo(asked: argparse.Namespace) -> int:
    from kcrr_analysis import demo, paths

    folder = paths.resolve(asked.out)
    settings = {"regions": asked.regions} | ({"seed": asked.seed} if asked.seed is not None else {})
    demo.write(demo.make(**settings), folder)
    _say(f"Демонстрационные данные записаны в {folder}.")
    return OK


if __name__ == "__main__":
    main()
