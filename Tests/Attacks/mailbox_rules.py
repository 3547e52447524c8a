"""More addresses, made by rule: each character at each place, each length at its edge, words of many scripts.

Sources as in mailboxes.py. What is refused on purpose beyond them is said there.
"""

import unicodedata

# RFC 5322, 3.2.3: what a local part may be made of besides letters and digits, and what may not stand in it at all.
ATEXT = "!#$%&'*+-/=?^_`{|}~"
SPECIALS = "()<>[]:;@\\,\""


def valid():
    """What is typed, and what is kept, which is the same."""
    places = ("{}ann", "ann{}", "a{0}{0}b")
    locals_ = [place.format(mark) for mark in ATEXT for place in places if place.format(mark)[0] != "-"]
    locals_ += ["x" * 63, ".".join("x" * 32), "1" * 64]
    domains = ["b" * count + ".example" for count in (1, 2, 62)] + [
        ".".join(["b"] * count) + ".example" for count in (2, 60, 120)
    ] + ["mail." + end for end in ("de", "example2", "a" * 63)]
    typed = [f"{local}@rule.example" for local in locals_] + [f"rule@{domain}" for domain in domains]
    return {one: one for one in typed}


def invalid():
    found = [place.format(mark) + "@rule.example" for mark in SPECIALS for place in ("{}ann", "a{}b", "ann{}")]
    # A letter, a digit and a hyphen are all that a domain is made of (RFC 1035, 2.3.1).
    printable = [chr(code) for code in range(0x20, 0x7F) if not chr(code).isalnum() and chr(code) not in ".-"]
    found += [f"ann@ru{mark}le.example" for mark in printable]
    found += [f"ann@rule.{mark}example" for mark in printable + ["-"]]
    found += ["x" * count + "@rule.example" for count in (66, 128, 255, 256, 1000)]
    found += ["ann@" + "b" * count + ".example" for count in (64, 65, 128, 253, 1000)]
    ends = ("rule..example", "rule.example..", "..rule.example", "-.example", "rule.-.example")
    found += [f"ann@{end}" for end in ends]
    return list(dict.fromkeys(found))


# "Example" in the languages of many scripts, and words with marks.
SCRIPTS = [
    "пример", "приклад", "παραδειγμα", "դասեր", "მაგალითი", "דוגמה", "مثال", "نمونه", "उदाहरण", "উদাহরণ", "ਉਦਾਹਰਣ",
    "ઉદાહરણ", "ଉଦାହରଣ", "உதாரணம்", "ఉదాహరణ", "ಉದಾಹರಣೆ", "ഉദാഹരണം", "ตัวอย่าง", "ตลาด", "ຕົວຢ່າງ", "ဥပမာ", "ምሳሌ",
    "ឧទាហរណ", "たとえ", "タトエ", "漢字", "範例", "보기", "예제"
]
MARKED = [
    "žluťoučký", "łódź", "ærøskøbing", "çağrı", "đường", "ñandú", "čeština", "őszi", "crème-brûlée", "þjóð", "ħamrun",
    "ŝanĝo"
]


def same():
    """Two spellings of one mailbox: a word and its A-label (RFC 3492), capitals, and letters with their marks apart."""
    pairs = []
    for word in SCRIPTS + MARKED:
        label = "xn--" + unicodedata.normalize("NFC", word).encode("punycode").decode()
        pairs.append((f"{word}.example", f"{label}.example"))
    pairs += [(f"{word.upper()}.example", f"{word}.example") for word in MARKED if word.upper().lower() == word]
    pairs += [(unicodedata.normalize("NFD", word) + ".example", f"{word}.example") for word in MARKED[:6]
              if unicodedata.normalize("NFD", word) != word]
    return [(f"rule{number}@{one}", f"rule{number}@{other}") for number, (one, other) in enumerate(pairs)]
