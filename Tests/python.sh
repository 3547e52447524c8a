# Sourced by the tests that are written in Python: makes a virtual environment with some packages of PyPI, once.
# Needs root, the folder of the repository, and a function skip, which ends the test with a reason.

# python_with NAME PACKAGE==VERSION…: leaves its python in $python.
python_with() {
    local venv=$root/.build/$1-venv
    shift
    command -v python3 >/dev/null || skip "there is no python3."
    if ! grep -qsxF "$*" "$venv/installed"; then
        rm -rf "$venv"
        mkdir -p "$root/.build"
        python3 -m venv "$venv" >/dev/null 2>&1 || skip "python3 cannot make a virtual environment."
        "$venv/bin/pip" install --quiet --disable-pip-version-check "$@" >/dev/null 2>&1 || skip "pip cannot install $*."
        echo "$*" > "$venv/installed"
    fi
    python=$venv/bin/python
}
