"""What is no UTF-8, and what just is, made by rule.

Source: RFC 3629, sections 3 and 4. A sequence is well-formed when it is the shortest one of a scalar value up to
U+10FFFF that is no surrogate.
"""

# The first and the last scalar value that takes so many bytes.
LENGTHS = {1: (0x00, 0x7F), 2: (0x80, 0x7FF), 3: (0x800, 0xFFFF), 4: (0x10000, 0x10FFFF)}


def encoded(code, length):
    """A number in so many bytes, whether that is allowed or not: five and six are the forms of RFC 2279."""
    if length == 1:
        return bytes([code])
    tail = [0x80 | code >> 6 * place & 0x3F for place in reversed(range(length - 1))]
    return bytes([(0xFF00 >> length) & 0xFF | code >> 6 * (length - 1)] + tail)


def malformed():
    """Sequences that are no UTF-8, by a sentence each."""
    found = {}
    for byte in range(0x80, 0xC0):
        found[f"the end {byte:02X} without a beginning"] = bytes([byte])
    for count in range(2, 7):
        found[f"{count} ends without a beginning"] = bytes([0x80 + n for n in range(count)])
    for byte in range(0xC0, 0x100):
        found[f"the beginning {byte:02X} before a letter"] = bytes([byte]) + b"a"
        found[f"the beginning {byte:02X} before a space"] = bytes([byte]) + b" "
    for length, (first, last) in LENGTHS.items():
        for code in (first, last) if length > 1 else ():
            whole = encoded(code, length)
            for kept in range(1, length):
                found[f"{kept} of the {length} bytes of U+{code:04X}"] = whole[:kept]
                found[f"{kept} of the {length} bytes of U+{code:04X} before a letter"] = whole[:kept] + b"a"
            broken = bytearray(whole)
            broken[-1] &= 0x7F
            found[f"U+{code:04X} with a last byte that is none"] = bytes(broken)
    # Each of the numbers that a shorter form can say, in each longer one.
    for short, (first, last) in LENGTHS.items():
        for code in {first, last, 0x00, 0x22, 0x2F, 0x3C} if short == 1 else {first, last}:
            for length in range(short + 1, 7):
                found[f"U+{code:04X} in {length} bytes"] = encoded(code, length)
    for code in [0xD800, 0xDB7F, 0xDB80, 0xDBFF, 0xDC00, 0xDF80, 0xDFFF]:
        found[f"the surrogate U+{code:04X}"] = encoded(code, 3)
    for high in [0xD800, 0xDB7F, 0xDB80, 0xDBFF]:
        for low in [0xDC00, 0xDFFF]:
            found[f"the surrogates U+{high:04X} and U+{low:04X}"] = encoded(high, 3) + encoded(low, 3)
    for code, length in [(0x110000, 4), (0x13FFFF, 4), (0x1FFFFF, 4), (0x200000, 5), (0x3FFFFFF, 5), (0x4000000, 6),
                         (0x7FFFFFFF, 6)]:
        found[f"{code:X}, which is beyond U+10FFFF"] = encoded(code, length)
    for byte in [0xFE, 0xFF]:
        found[f"{byte:02X} four times"] = bytes([byte] * 4)
    return found


def well_formed():
    """Texts at the edges of what each length may say; none of them is a control character."""
    edges = [
        0x7E, 0xA1, 0xA9, 0x7FF, 0x800, 0xFFF, 0x1000, 0xCFFF, 0xD000, 0xD7FF, 0xE000, 0xFDD0, 0xFDEF, 0xFFFD, 0xFFFE,
        0xFFFF, 0x10000, 0x1FFFE, 0x1FFFF, 0x3FFFF, 0x40000, 0xFFFFF, 0x100000, 0x10FFFE, 0x10FFFF
    ]
    return ["a" + chr(code) + "b" for code in edges]
