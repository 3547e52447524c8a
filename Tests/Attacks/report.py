"""What was found: a line for each check, and at the end whether all of them held."""

import time


class Report:
    SHOWN = 12
    WIDTH = 300

    def __init__(self):
        self.passed = 0
        self.failed = []
        self.began = time.monotonic()

    def theme(self, title):
        print(f"\n{title}  ({time.monotonic() - self.began:.0f} s)", flush=True)

    def same(self, row, sentence, found, expected):
        """Found and expected are equal."""
        self._say(row, sentence, found == expected, [f"expected {expected!r}", f"found    {found!r}"])

    def holds(self, row, sentence, condition, found="", expected=""):
        """A condition holds; what was found and expected is shown where it does not."""
        lines = [f"expected {expected}"] * bool(expected) + [f"found    {found}"] * bool(found != "")
        self._say(row, sentence, bool(condition), lines)

    def none(self, row, sentence, problems):
        """There are no problems; each is a text with what was sent, expected and found."""
        problems = [str(problem) for problem in problems]
        lines = problems[:Report.SHOWN]
        if len(problems) > Report.SHOWN:
            lines.append(f"and {len(problems) - Report.SHOWN} more")
        self._say(row, sentence, not problems, lines)

    def _say(self, row, sentence, is_good, lines):
        if is_good:
            self.passed += 1
            print(f"ok   {row:<4} {sentence}", flush=True)
            return
        self.failed.append(f"{row} {sentence}")
        print(f"FAIL {row:<4} {sentence}", flush=True)
        for line in lines:
            print(f"          {line[:Report.WIDTH]}", flush=True)

    def end(self):
        """Says how it went; returns the exit code."""
        seconds = time.monotonic() - self.began
        print(f"\n{self.passed} passed, {len(self.failed)} failed, in {seconds:.0f} s")
        for line in self.failed:
            print(f"  FAIL {line}")
        return 1 if self.failed else 0
