"""Rules learnt by the program beside scikit-learn's logistic regression.

Usage: fit_check.py TRELLIS FOLDER      (CSV, OUTCOME, SITE and DROP in the environment: see run.sh)
"""
import csv
import math
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "Examples" / "scoring-backtest"))
import compare

TRELLIS, FOLDER = sys.argv[1], Path(sys.argv[2])
RULES = 25
# How far below the regression the learnt rules may be, which have whole points and are few enough to be read.
WITHIN = 0.01
NUMBERS = {"integer", "real"}
OWN = {"employees": "integer", "country": "text", "city": "text", "region": "text", "source": "text", "industry": "text",
       "title": "text", "company": "text", "language": "text", "medium": "text", "campaign": "text"}
failures = 0


def check(fact, holds, detail=""):
    global failures
    failures += not holds
    print(f"{'ok  ' if holds else 'FAIL'}  {fact}  {detail}", flush=True)


def run(*arguments):
    done = subprocess.run([TRELLIS, *map(str, arguments)], cwd=FOLDER, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"FAILED: trellis {' '.join(map(str, arguments))}: {done.stdout}{done.stderr}")
    return done.stdout


def make_population(path, people=4000, seed=5):
    """People whose chance is known: a few columns that tell, some that tell nothing, and gaps."""
    dice = random.Random(seed)
    with open(path, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["email", "source", "country", "employees", "visits", "minutes", "occupation", "motive",
                       "wants_mail", "enrolled"])
        for number in range(people):
            source = dice.choices(["search", "advert", "friend", "fair"], [5, 4, 1, 1])[0]
            occupation = dice.choices(["", "in work", "looking", "student"], [3, 2, 4, 2])[0]
            motive = dice.choices(["", "career", "curiosity"], [4, 5, 1])[0]
            visits = int(dice.expovariate(1 / 3)) if dice.random() > 0.05 else ""
            minutes = round(dice.expovariate(1 / 8), 1)
            wants_mail = dice.choices(["yes", "no"], [8, 1])[0]
            odds = (-3 + {"friend": 1.8, "advert": -0.5}.get(source, 0) + {"in work": 2.2, "looking": 0.8}.get(occupation, 0)
                    + {"career": 1.0}.get(motive, 0) + 0.9 * math.log1p(minutes) - 0.9 * (wants_mail == "no")
                    - 0.1 * min(visits or 0, 6))
            rows.writerow([
                f"person{number}@fit.example", source, dice.choice(["DE", "FR", "AT", "CH", "IT"]), dice.randrange(1, 500),
                visits, minutes, occupation, motive, wants_mail, int(dice.random() < 1 / (1 + math.exp(-odds)))])


def field_name(column):
    return re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")[:40]


def make_site(source, outcome, dropped):
    """A config and a mapping for a CSV of which nothing is known but its outcome: every column is a field."""
    with open(source, newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    fields, columns = {}, {}
    for column in rows[0]:
        values = [row[column] for row in rows if row[column]]
        # A column of names or numbers of leads tells nothing of other leads.
        if column != outcome and (column in dropped or len(set(values)) < 2 or len(set(values)) > 0.9 * len(rows)):
            continue
        is_number = all(re.fullmatch(r"-?\d+(\.\d+)?", value) for value in values)
        columns[column] = "x_" + field_name(column)
        fields[columns[column]] = "real" if is_number and column != outcome else "integer" if is_number else "text"
    config = {
        "site": {"name": "Fit", "base_url": "http://localhost:8080", "postal_address": "1 Main Street",
                 "secret": "${TRELLIS_SECRET}"},
        "database": "crm.sqlite", "leads": {"fields": fields, "stages": ["lead", "mql", "customer"]},
        "plugins": {"scoring": {}}}
    # The rows are known by their number.
    with open(FOLDER / "leads.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["external_id", *columns])
        writer.writerows([[number, *(row[column] for column in columns)] for number, row in enumerate(rows, 1)])
    (FOLDER / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    (FOLDER / "mapping.yaml").write_text(yaml.safe_dump({"columns": {"external_id": "external_id"} | columns}))
    print("left out:", ", ".join(column for column in rows[0] if column not in columns) or "nothing")


def columns_of(outcome):
    """The field of the outcome, and the texts and numbers that the rules may be made of."""
    config = yaml.safe_load((FOLDER / "config.yaml").read_text())
    types = {name: value if isinstance(value, str) else value["type"] for name, value in config["leads"]["fields"].items()}
    if (FOLDER / "mapping.yaml").exists():
        mapping = yaml.safe_load((FOLDER / "mapping.yaml").read_text())
        names = mapping["columns"]
        if mapping.get("ignore"):
            print("left out:", ", ".join(mapping["ignore"]))
    else:
        with open(FOLDER / "leads.csv", newline="") as file:
            names = {column: column for column in next(csv.reader(file))}
    types = {name: types.get(name) or OWN.get(name) for name in names.values()}
    field = names[outcome]
    known = [name for name in types if types[name] and name != field]
    return field, [name for name in known if types[name] not in NUMBERS], [name for name in known if types[name] in NUMBERS]


def table(text, begin="axis"):
    """The table of the rules, as it is printed, down to the figures below it."""
    lines = text.splitlines()
    start = next((number for number, line in enumerate(lines) if line.startswith(begin)), None)
    end = next((number for number, line in enumerate(lines) if line.startswith("Brier")), len(lines) - 1)
    return "\n".join(lines[start or 0:end + 1])


def mean_area(text):
    """The mean AUC of the folds that a report gives."""
    return float(re.search(r"AUC [\d.]+ \(5 folds: mean ([\d.]+)", text)[1])


def put_in_place_of_the_rules(learnt):
    config = (FOLDER / "config.yaml").read_text()
    if "# begin of the rules" in config:
        begin, rest = config.split("# begin of the rules", 1)
        config = begin + "# begin of the rules\n" + learnt + "\n    # end of the rules" + rest.split("# end of the rules", 1)[1]
    else:
        config = config.replace("  scoring: {}\n", "  scoring:\n" + learnt + "\n")
    (FOLDER / "learnt.yaml").write_text(config)


def main():
    source, outcome, site = (os.environ.get(name, "") for name in ["CSV", "OUTCOME", "SITE"])
    if not source:
        source, outcome, site = FOLDER / "population.csv", "enrolled", ROOT / "Tests" / "Fit" / "site"
        make_population(source)
    if site:
        for name in ["config.yaml", "mapping.yaml"]:
            if (Path(site) / name).exists():
                shutil.copy(Path(site) / name, FOLDER / name)
        shutil.copy(source, FOLDER / "leads.csv")
    else:
        make_site(source, outcome, os.environ.get("DROP", "").split(","))
    field, texts, numbers = columns_of(outcome)
    run("check")
    print(run("import", "leads.csv", *(["--mapping", "mapping.yaml"] if (FOLDER / "mapping.yaml").exists() else [])).strip())
    run("work", "--until-idle")
    judged = ["--outcome", f"column:{field}=1", "--folds", 5]

    by_hand = None
    if site:
        report = run("scoring", "backtest", *judged)
        by_hand = mean_area(report)
        print(f"\n== Rules written by hand ==\n{table(report)}")
    learnt = run("scoring", "fit", *judged, "--rules", RULES, "--columns", ",".join(texts + numbers))
    put_in_place_of_the_rules(learnt)
    report = run("scoring", "backtest", "--config", "learnt.yaml", *judged)
    print(f"\n== Rules learnt, held against the leads they were learnt from ==\n{table(report)}\n")

    leads, columns, folds = compare.areas(FOLDER / "crm.sqlite", field, texts, numbers)
    regression, fitted = sum(folds) / len(folds), mean_area(learnt)
    points = [rule["points"] for rule in yaml.safe_load(learnt)["fit"].values()]
    print(f"{leads} leads, {len(texts + numbers)} columns of theirs; AUC, mean of the same 5 folds:")
    if by_hand is not None:
        print(f"  {by_hand:.4f}  rules by hand")
    print(f"  {fitted:.4f}  {len(points)} learnt rules with whole points, each lead scored by rules learnt without it")
    print(f"  {regression:.4f}  scikit-learn's logistic regression on {columns} columns ({', '.join(f'{area:.4f}' for area in folds)})")
    check(f"the learnt rules come within {WITHIN} of the regression", fitted >= regression - WITHIN,
          f"{fitted - regression:+.4f}")
    check("points are whole numbers", points and all(isinstance(point, int) and point != 0 for point in points),
          f"{min(points)} to {max(points)}")
    check(f"there are at most {RULES} rules", len(points) <= RULES, f"{len(points)}")
    if by_hand is not None:
        check("they are no worse than those by hand", fitted >= by_hand - WITHIN, f"{fitted - by_hand:+.4f}")
    sys.exit(1 if failures else 0)


main()
