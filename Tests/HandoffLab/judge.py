"""What must hold of handed-off leads: at every moment, and at the end."""
import collections
import itertools
import json
import sqlite3

IN_HAND = "('offered', 'escalated', 'accepted')"
OPEN = "('queued', 'offered', 'escalated', 'accepted', 'expired')"
BY_TURNS = "route 1: round_robin"

# Of any snapshot of the file. Reps are given more than their capacity only by hand.
AT_EVERY_MOMENT = f"""
SELECT 'in two hands', lead_id FROM handoff_handoffs WHERE state IN {OPEN} GROUP BY lead_id HAVING count(*) > 1
UNION ALL
SELECT 'in nobody''s hands and not in the queue', lead_id FROM handoff_handoffs
WHERE state = 'expired' OR state IN {IN_HAND} AND rep IS NULL OR state = 'queued' AND rep IS NOT NULL
UNION ALL
SELECT 'owned by somebody else', h.lead_id FROM handoff_handoffs AS h JOIN leads AS l ON l.id = h.lead_id
WHERE h.state IN {OPEN} AND l.owner IS NOT h.rep
UNION ALL
SELECT 'rep with too many', rep FROM handoff_handoffs
WHERE state IN {IN_HAND} AND route <> 'by hand' GROUP BY rep HAVING count(*) > :capacity
UNION ALL
SELECT 'not where the last step left it', h.id FROM handoff_handoffs AS h
JOIN (SELECT handoff_id, state, rep, max(id) FROM handoff_transitions WHERE state NOT IN ('won', 'lost') GROUP BY handoff_id) AS t
  ON t.handoff_id = h.id
WHERE h.state IN {OPEN} AND (t.state, t.rep) IS NOT (h.state, h.rep)
UNION ALL
SELECT 'qualified, looked at, and dropped', l.id FROM leads AS l WHERE l.stage = 'mql'
  AND NOT EXISTS (SELECT 1 FROM handoff_handoffs AS h WHERE h.lead_id = l.id AND h.state IN {OPEN})
  AND (SELECT max(e.id) FROM events AS e WHERE e.lead_id = l.id AND e.kind = 'lead.stage_changed')
      <= (SELECT last_event_id FROM subscribers WHERE id = 'handoff/offer')
"""


def look(crm, capacity):
    """What is wrong in one snapshot."""
    crm.execute("BEGIN")
    wrong = crm.execute(AT_EVERY_MOMENT, {"capacity": capacity}).fetchall()
    crm.execute("COMMIT")
    return wrong


class Judge:
    """Reads the file when everybody has gone."""

    def __init__(self, folder, reps, capacity):
        self.crm = sqlite3.connect(f"file:{folder}/crm.sqlite?mode=ro", uri=True, timeout=30)
        self.reps = reps
        self.capacity = capacity
        self.passed = self.failed = 0

    def check(self, fact, holds, detail=""):
        self.passed += bool(holds)
        self.failed += not holds
        print(f"{'ok  ' if holds else 'FAIL'}  {fact}  {detail}", flush=True)

    def rows(self, sql, arguments=()):
        return self.crm.execute(sql, arguments).fetchall()

    def leads(self, expected):
        came = self.rows("SELECT count(*) FROM leads")[0][0]
        handed_off = self.rows("SELECT count(DISTINCT lead_id) FROM handoff_handoffs")[0][0]
        self.check("every lead that qualified was handed off", came == handed_off == expected, f"{handed_off} of {came}")
        wrong = self.rows(AT_EVERY_MOMENT, {"capacity": self.capacity})
        self.check("at the end each is with one holder, in the queue, or answered", not wrong, wrong[:3])

    def acknowledged(self, answers):
        """What the API said was done stands in the file, as often as it was said."""
        states = {
            "accept": "accepted", "reject": "rejected", "convert": "converted", "reassign": "offered", "won": "won",
            "lost": "lost"}
        said = collections.Counter((handoff, states[what]) for handoff, what, _ in answers if what in states)
        done = collections.Counter(self.rows("SELECT handoff_id, state FROM handoff_transitions WHERE origin = 'api'"))
        lost = {each: count for each, count in said.items() if done[each] < count}
        talked = collections.Counter(lead for _, what, lead in answers if what == "contact")
        noted = dict(self.rows("SELECT lead_id, count(*) FROM events WHERE kind = 'lead.contacted' GROUP BY 1"))
        lost |= {lead: count for lead, count in talked.items() if noted.get(lead, 0) < count}
        self.check("no acknowledged answer is lost", answers and not lost,
                   f"{len(answers)} answers, {list(lost.items())[:3]}")

    def clocks(self, rest, down):
        """Each offer and each acceptance against its clock, from the steps alone."""
        late, answered_late, unset, waits = [], 0, 0, []
        steps = self.rows(
            """
            SELECT t.handoff_id, t.state, t.at, t.due_at, n.state, n.at, h.contacted_at, julianday(n.at) - julianday(t.due_at)
            FROM handoff_transitions AS t JOIN handoff_handoffs AS h ON h.id = t.handoff_id
            LEFT JOIN handoff_transitions AS n ON n.id = (
                SELECT min(id) FROM handoff_transitions
                WHERE handoff_id = t.handoff_id AND id > t.id AND state NOT IN ('won', 'lost'))
            WHERE t.state IN ('offered', 'accepted')
            """)
        for handoff, state, began, due, answer, answered, contacted, days in steps:
            # Who was talked to before needs no second clock.
            if due is None:
                unset += state == "offered" and began <= rest
            elif answer in ("escalated", "expired") and answered > due:
                waits.append(days * 86_400)
            elif answer is not None and answered > due:
                answered_late += state == "offered"
            elif answer is None and due <= rest and (state == "offered" or contacted is None):
                late.append(handoff)
        self.check("no clock was missed: what ran out was told of", waits and not late,
                   f"{len(waits)} ran out, {answered_late} were answered too late and before it was seen, {late[:3]} forgotten")
        self.check("every offer had its clock", unset == 0, f"{unset} without")
        waits.sort()
        if waits:
            print(f"      seen {waits[len(waits) // 2]:.1f} s after the moment (median), {waits[-1]:.1f} s at most; "
                  f"the server was down for up to {down:.1f} s")
        # The config takes a lead back three seconds after that, and the worker has one to come by.
        stuck = self.rows(
            "SELECT id FROM handoff_handoffs WHERE state = 'escalated' AND strftime('%Y-%m-%d %H:%M:%f', escalated_at, '+4 seconds') < ?",
            [rest])
        self.check("and went on to somebody else, or was answered", not stuck, stuck[:3])

    def weights(self):
        """How many leads each rep was dealt by turns, beside what the weights gave a claim to.

        Counted anew from the steps: at each deal everybody who is there and has a place is entitled to their weight's share
        of it. A rejected lead goes back to marketing and to nobody else, so who rejects more is not dealt more: a rejection
        only frees a place, and who has none is entitled to nothing meanwhile.
        """
        away = collections.defaultdict(list)
        for rep, since, until in self.rows("SELECT rep, starts_at, coalesce(ends_at, '9999') FROM handoff_absences"):
            away[rep].append((since, until))
        holder, load, lapsed = {}, collections.Counter(), collections.defaultdict(set)
        dealt, entitled, wrong = collections.Counter(), collections.Counter(), []
        for handoff, state, rep, by_turns, at in self.steps_in_order():
            load[holder.pop(handoff, None)] -= 1
            if by_turns:
                free = [
                    one for one in self.reps
                    if load[one] < self.capacity and not any(since <= at < until for since, until in away[one])]
                free = [one for one in free if one not in lapsed[handoff]] or free
                total = sum(self.reps[one] for one in free)
                for one in free:
                    entitled[one] += self.reps[one] / total
                dealt[rep] += 1
                # Requests that share a commit share its moment: there the deal may have come before the absence.
                is_leaving = any(since == at for since, _ in away[rep])
                wrong += [] if rep in free or is_leaving and load[rep] < self.capacity else [
                    (handoff, rep, at, load[rep], away[rep])]
            if state == "expired":
                lapsed[handoff].add(rep)
            if state in ("offered", "escalated", "accepted"):
                holder[handoff] = rep
                load[rep] += 1
        self.check("nobody who was away or full was dealt a lead", not wrong, wrong[:3])
        gaps = {rep: abs(dealt[rep] - entitled[rep]) for rep in self.reps}
        unfair = [rep for rep in self.reps if gaps[rep] > max(2, 0.02 * entitled[rep])]
        most = max(gaps[rep] / max(1, entitled[rep]) for rep in self.reps)
        self.check("weights are kept within 2 % or two leads, counted anew from the steps", dealt and not unfair,
                   f"{dealt.total()} deals, off by {max(gaps.values()):.2f} leads at most, {most:.2%} at most")
        own = self.rows("SELECT rep, dealt, entitled FROM rep_load")
        self.check("the program counts the same", all(
            count == dealt[rep] and abs(claim - entitled[rep]) <= 1 + 0.01 * claim for rep, count, claim in own),
            f"by its count off by {max(abs(count - claim) for _, count, claim in own):.2f} leads at most")

    def steps_in_order(self):
        """Steps as they were decided: of leads that were routed together, those who waited came before those who are new,
        who goes back to a rep who let them lapse came last, who kept their rep came before those who were dealt, and each
        in the order in which they qualified."""
        seen, lapsed = set(), set()

        def place(step):
            return (step[0] not in seen, (step[0], step[2]) in lapsed, *step[3:4], *step[5:])

        steps = self.rows(
            f"""
            SELECT t.handoff_id, t.state, t.rep, t.state = 'offered' AND t.route = '{BY_TURNS}', t.at, h.event_id, t.lead_id
            FROM handoff_transitions AS t JOIN handoff_handoffs AS h ON h.id = t.handoff_id
            WHERE t.state NOT IN ('won', 'lost') ORDER BY t.id
            """)
        for (_, routed), together in itertools.groupby(steps, key=lambda step: (step[4], step[1] in ("offered", "queued"))):
            together = list(together)
            if routed:
                together.sort(key=place)
            seen.update(step[0] for step in together)
            lapsed.update((step[0], step[2]) for step in together if step[1] == "expired")
            yield from (step[:5] for step in together)

    def traces(self, trace, leads):
        """Each step of some leads stands in their trace, below causes that lead back to how the lead came in."""
        unexplained, steps = [], 0
        for lead in leads:
            answer = trace(lead)
            told = json.loads(answer.stdout) if answer.returncode == 0 else []
            events = {event["event_id"]: event for event in told}
            for event, state in self.rows("SELECT event_id, state FROM handoff_transitions WHERE lead_id = ?", [lead]):
                steps += 1
                at = events.get(event)
                if at is None or at["kind"] != "handoff." + state or not at["says"]:
                    unexplained.append((lead, event, state))
                while at is not None and at["cause_id"] is not None:
                    at = events.get(at["cause_id"])
                if at is None or at["kind"] not in ("lead.created", "demo.booked"):
                    unexplained.append((lead, event, "from", at and at["kind"]))
        self.check("every step of a sample is explained by trellis trace", steps > len(leads) and not unexplained,
                   f"{len(leads)} leads, {steps} steps, {unexplained[:3]}")

    def summary(self):
        states = dict(self.rows("SELECT state, count(*) FROM handoff_transitions GROUP BY 1 ORDER BY 1"))
        cycles, offers = self.rows("SELECT max(cycle), max(offer) FROM handoff_handoffs")[0]
        crashed = self.rows("SELECT count(*) FROM worker_runs WHERE ended_at = 'crashed'")[0][0]
        return f"steps {states}, up to {cycles} cycles of a lead and {offers} offers in one; {crashed} runs ended by a kill"
