"""Figures of sales from the views of the file, beside those that pandas reckons from the CSV.

Usage: figures_check.py TRELLIS FOLDER [DEALS]
"""
import csv
import datetime
import random
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pandas

SITE = Path(__file__).resolve().parent.parent.parent / "Examples" / "sales-pipeline"
TRELLIS, FOLDER = sys.argv[1], Path(sys.argv[2])
DEALS = sys.argv[3] if len(sys.argv) > 3 else ""
failures = 0


def check(fact, holds, detail=""):
    global failures
    failures += not holds
    print(f"{'ok  ' if holds else 'FAIL'}  {fact}  {detail}", flush=True)


def run(*arguments):
    done = subprocess.run([TRELLIS, *arguments], cwd=FOLDER, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"FAILED: trellis {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout


def make_deals(seed=5, deals=3000):
    """Deals over two years and a leap day: cents, deals for nothing, open ones, and an agent who wins none."""
    dice = random.Random(seed)
    agents = [f"Agent {letter}" for letter in "ABCDEFGHIJ"]
    with open(FOLDER / "accounts.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(
            ["account", "sector", "year_established", "revenue", "employees", "office_location", "subsidiary_of"])
        rows.writerows([f"Company {n}", "retail", 1990 + n % 30, n * 1.5, n * 10, "Germany", ""] for n in range(1, 41))
    with open(FOLDER / "sales_pipeline.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["opportunity_id", "sales_agent", "product", "account", "deal_stage", "engage_date", "close_date",
                       "close_value"])
        for number in range(deals):
            agent = dice.choice(agents)
            opened = datetime.date(2023, 1, 1) + datetime.timedelta(days=dice.randrange(700))
            closed = opened + datetime.timedelta(days=int(dice.expovariate(1 / 45)))
            stage = dice.choices(["Won", "Lost", "Engaging", "Prospecting"], [6, 4, 1, 1])[0]
            if agent == "Agent J" and stage == "Won":
                stage = "Lost"
            is_closed = stage in ("Won", "Lost")
            value = dice.choice([0, round(dice.uniform(50, 30_000), 2)]) if stage == "Won" else 0
            rows.writerow([
                f"D{number:05}", agent, dice.choice(["GTXPro", "GTK 500"]), f"Company {dice.randrange(1, 41)}", stage,
                "" if stage == "Prospecting" else f"{opened.month}/{opened.day}/{opened.year}",
                f"{closed.month}/{closed.day}/{closed.year}" if is_closed else "", value if is_closed else ""])


def of_the_file(sql, keys):
    """Rows of a view by their keys, read by SQLite alone."""
    crm = sqlite3.connect(f"file:{FOLDER}/crm.sqlite?mode=ro", uri=True)
    return pandas.read_sql(sql, crm).set_index(keys).sort_index()


def reckoned():
    """The deals that are closed, from the CSV alone."""
    deals = pandas.read_csv(FOLDER / "sales_pipeline.csv")
    for column in ["engage_date", "close_date"]:
        deals[column] = pandas.to_datetime(deals[column], format="%m/%d/%Y")
    closed = deals[deals.deal_stage.isin(["Won", "Lost"])].copy()
    closed["won"] = closed.deal_stage == "Won"
    closed["value"] = closed.close_value.where(closed.won, 0).fillna(0)
    closed["quarter"] = closed.close_date.dt.year.astype(str) + "-Q" + closed.close_date.dt.quarter.astype(str)
    closed["month"] = closed.close_date.dt.strftime("%Y-%m")
    closed["days"] = (closed.close_date - closed.engage_date).dt.days
    return deals, closed


def compare(fact, theirs, ours, within=0.0):
    """Whether two tables have the same rows and, column by column, the same figures."""
    theirs = theirs.sort_index()
    if not theirs.index.equals(ours.index):
        return check(fact, False, f"the rows differ: {theirs.index.symmetric_difference(ours.index).tolist()[:3]}")
    gap = max(float((theirs[column].astype(float) - ours[column].astype(float)).abs().max()) for column in theirs)
    empty = all(theirs[column].isna().equals(ours[column].isna()) for column in theirs)
    check(fact, empty and gap <= within, f"{len(theirs)} rows, off by {gap:.4g} at most")


def main():
    if DEALS:
        for name in ["accounts.csv", "sales_pipeline.csv"]:
            shutil.copy(Path(DEALS) / name, FOLDER / name)
    else:
        make_deals()
    for file in SITE.glob("*.yaml"):
        shutil.copy(file, FOLDER)
    print(run("import", "accounts.csv", "--mapping", "mapping-accounts.yaml").strip())
    print(run("import", "sales_pipeline.csv", "--mapping", "mapping-opportunities.yaml").strip())
    run("work", "--until-idle")
    deals, closed = reckoned()
    print(f"{len(deals)} deals, {len(closed)} of them closed, {int(closed.won.sum())} won")

    sales = of_the_file(
        """
        SELECT owner, sum(won) AS won, sum(lost) AS lost, 100.0 * sum(won) / sum(won + lost) AS won_percent,
               sum(revenue) AS revenue FROM kpi_sales GROUP BY owner
        """, ["owner"])
    agents = closed.groupby("sales_agent").agg(won=("won", "sum"), closed=("won", "size"), revenue=("value", "sum"))
    agents["lost"] = agents.closed - agents.won
    agents["won_percent"] = 100 * agents.won / agents.closed
    agents.index.name = "owner"
    quarters = of_the_file(
        "SELECT owner, quarter, sum(won) AS won, sum(revenue) AS revenue FROM kpi_sales GROUP BY owner, quarter",
        ["owner", "quarter"])
    by_quarter = closed.groupby(["sales_agent", "quarter"]).agg(won=("won", "sum"), revenue=("value", "sum"))
    cycle = of_the_file(
        """
        SELECT coalesce(month, 'all') AS month, deals, median_days, mean_days FROM kpi_sales_cycle WHERE channel IS NULL
        """, ["month"])
    won = closed[closed.won]
    months = won.groupby("month").days.agg(deals="size", median_days="median", mean_days="mean")
    months.loc["all"] = [len(won), won.days.median(), won.days.mean()]

    print("\nWon rate and revenue by agent and quarter, from kpi_sales:")
    table = quarters.revenue.unstack().join(sales[["won", "lost", "won_percent", "revenue"]])
    print(table.round(2).to_string(na_rep="-"))
    print("\nSales cycle of won deals in days, from kpi_sales_cycle:")
    print(cycle.to_string())
    print()
    # Half a cent in each of the months that are added up.
    compare("won rate of each agent", agents[["won", "lost", "won_percent"]], sales, 1e-9)
    compare("revenue of each agent", agents[["revenue"]], sales, 0.005 * len(months))
    compare("won deals and revenue of each agent and quarter", by_quarter, quarters, 0.015)
    compare("sales cycle: deals and median of each month and of all", months[["deals", "median_days"]], cycle)
    compare("sales cycle: mean, which has one decimal", months[["mean_days"]], cycle, 0.0500001)
    total = of_the_file("SELECT 'all' AS name, sum(won) AS won, sum(revenue) AS revenue FROM kpi_sales", ["name"])
    check("all together", total.won["all"] == closed.won.sum() and abs(total.revenue["all"] - closed.value.sum()) < 0.5,
          f"{100 * closed.won.mean():.2f} % won, {closed.value.sum():,.2f}")
    sys.exit(1 if failures else 0)


main()
