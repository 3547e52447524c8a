"""Other clients of a living file: what Documentation/YourCRMInSQL.md shows of them, run while a worker is at work.

Usage: clients.py TRELLIS FOLDER
"""

import re
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "Documentation" / "YourCRMInSQL.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8").split("## Ask it in SQL")[1].split("| table | a row is |")[0]
PYTHON = r"```python\n(.*?)```"
failures = 0


def check(name, passed, detail=""):
    global failures
    failures += not passed
    print(f"{'ok  ' if passed else 'FAIL'}  {name}  {detail}")


def run(block, folder):
    """Runs a Python block of the page in the folder, in a process of its own."""
    return subprocess.run([sys.executable, "-c", block], cwd=folder, capture_output=True, text=True, timeout=60)


def write_beside_the_worker(folder, rows):
    """Many short transactions of this process, each of which the worker must hear of."""
    crm = sqlite3.connect(folder / "crm.sqlite", timeout=10)
    for number in range(rows):
        with crm:
            crm.execute("INSERT INTO leads (email, title) VALUES (?, 'Owner')", [f"client{number}@clients.example"])
    crm.close()


def wait_until(folder, sql, expected, seconds=30):
    crm = sqlite3.connect(folder / "crm.sqlite", timeout=10)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = crm.execute(sql).fetchone()[0]
        if found == expected:
            return True
        time.sleep(0.1)
    return False


def main():
    trellis, folder = sys.argv[1], Path(sys.argv[2])
    blocks = re.findall(PYTHON, PAGE, re.S)
    blocks += [block for block in re.findall(PYTHON, README, re.S) if block not in blocks]
    worker = subprocess.Popen([trellis, "work"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        write_beside_the_worker(folder, 200)
        heard = wait_until(
            folder,
            "SELECT count(*) FROM scoring_scores JOIN leads ON leads.id = lead_id WHERE email LIKE 'client%' AND fit = 20", 200)
        check("sqlite3 of Python: 200 rows, each scored by the worker", heard)
        for command in re.findall(r"```sh\n(sqlite3 .*?)```", PAGE, re.S):
            if subprocess.run(["sh", "-c", "command -v sqlite3"], capture_output=True).returncode != 0:
                print("skip  sqlite3: there is none here")
                continue
            answer = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True, timeout=60)
            check("sqlite3", answer.returncode == 0 and "lead|" in answer.stdout, answer.stderr.strip())
        for block in blocks:
            module = next((name for name in ["duckdb", "pandas"] if name in block), "sqlite3 of Python")
            answer = run(block, folder)
            check(module, answer.returncode == 0 and "lead" in answer.stdout, answer.stderr.strip()[-300:])
        owners = sqlite3.connect(folder / "crm.sqlite", timeout=10).execute(
            "SELECT count(*) FROM events WHERE kind = 'lead.updated' AND origin = 'sql'").fetchone()[0]
        check("what pandas' connection wrote is in the log", owners > 0, f"{owners} events")
    finally:
        worker.terminate()
        complaint = worker.communicate(timeout=30)[1].decode()
    check("the worker ended well", worker.returncode == 0, complaint.strip()[-300:])
    doctor = subprocess.run([trellis, "doctor", "--strict"], cwd=folder, capture_output=True, text=True)
    check("every promise is kept", doctor.returncode == 0, doctor.stdout[-500:] if doctor.returncode else "")
    sys.exit(1 if failures else 0)


main()
