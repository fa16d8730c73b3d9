@echo off
rem make reports ^| test ^| lab ^| bench for Windows: the same steps as Makefile.
setlocal
pushd "%~dp0" || exit /b 1
set "BIN=.venv\Scripts"
set PIP="%BIN%\python.exe" -m pip --disable-pip-version-check --quiet
set "PYTHONUTF8=1"
chcp 65001 >nul

set "TASK=%~1"
for %%T in (reports lab demo test bench) do if "%TASK%"=="%%T" goto known
echo make reports ^| lab ^| demo ^| test ^| bench
popd
exit /b 0

:known
call :%TASK%
set "CODE=%errorlevel%"
popd
exit /b %CODE%

:reports
call :run || exit /b 1
"%BIN%\kcrr.exe" report --params "params\demo.yaml"
exit /b %errorlevel%

:lab
call :run || exit /b 1
"%BIN%\jupyter.exe" lab --notebook-dir=.
exit /b %errorlevel%

:demo
call :run || exit /b 1
"%BIN%\kcrr.exe" demo
exit /b %errorlevel%

:test
call :dev || exit /b 1
"%BIN%\ruff.exe" check . || exit /b 1
"%BIN%\ruff.exe" format --check . || exit /b 1
"%BIN%\mypy.exe" || exit /b 1
"%BIN%\lint-imports.exe" || exit /b 1
"%BIN%\python.exe" -m pytest --numprocesses 2 --cov --cov-report=term || exit /b 1
for %%N in ("notebooks\*.ipynb") do "%BIN%\nbstripout.exe" --verify --keep-count "%%N" || exit /b 1
"%BIN%\python.exe" -m pytest --nbval-lax --no-cov notebooks
exit /b %errorlevel%

:bench
call :dev || exit /b 1
fc /b requirements-bench.lock ".venv\.bench" >nul 2>&1 && goto measure
%PIP% install --require-hashes --no-deps --requirement requirements-bench.lock || exit /b 1
copy /b /y requirements-bench.lock ".venv\.bench" >nul || exit /b 1
:measure
"%BIN%\python.exe" -m tests.bench
exit /b %errorlevel%

:run
if not exist "%BIN%\python.exe" (
    call :venv || exit /b 1
)
fc /b requirements.lock ".venv\.run" >nul 2>&1 && fc /b pyproject.toml ".venv\.project" >nul 2>&1 && exit /b 0
%PIP% install --require-hashes --no-deps --requirement requirements.lock || exit /b 1
%PIP% install --no-deps --no-build-isolation --editable . || exit /b 1
"%BIN%\python.exe" -m kcrr_analysis.lab --prefix .venv || exit /b 1
copy /b /y requirements.lock ".venv\.run" >nul || exit /b 1
copy /b /y pyproject.toml ".venv\.project" >nul || exit /b 1
exit /b 0

:dev
call :run || exit /b 1
fc /b requirements-dev.lock ".venv\.dev" >nul 2>&1 && exit /b 0
%PIP% install --require-hashes --no-deps --requirement requirements-dev.lock || exit /b 1
copy /b /y requirements-dev.lock ".venv\.dev" >nul || exit /b 1
exit /b 0

rem PYTHON is the path of an interpreter or a command (py -3.12); without it the launcher is tried, then python from PATH.
:venv
if not defined PYTHON goto search
set "PYTHON=%PYTHON:"=%"
set FOUND=%PYTHON%
if exist "%PYTHON%" set FOUND="%PYTHON%"
call :fits && goto make
goto none
:search
set FOUND=py -3
call :fits && goto make
set FOUND=python
call :fits && goto make
:none
echo Нужен Python 3.11 или новее: установите его с python.org или задайте путь к python.exe в переменной PYTHON.
exit /b 1

:make
%FOUND% -m venv .venv && exit /b 0
if exist .venv rmdir /s /q .venv
echo Не удалось создать .venv. Проверьте место на диске и права на папку, затем повторите make.
exit /b 1

:fits
%FOUND% -c "import sys; sys.exit(sys.version_info < (3, 11))" >nul 2>&1
exit /b %errorlevel%
