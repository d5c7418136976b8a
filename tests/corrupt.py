"""Damage files in the ways in which files get damaged, and in a few that somebody intends."""

from hypothesis import strategies as st

# Numbers that headers break on: nothing, one, the edges of signed and unsigned fields.
EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF)


@st.composite
def corrupted(draw, content, head=96):
    """``content`` after one to three changes, half of them within its first ``head`` bytes.

    Parameters
    ----------
    content : bytes
    head : int
        Where the format keeps its sizes.
    """
    content = bytearray(content)
    for _ in range(draw(st.integers(1, 3))):
        last = max(len(content) - 1, 0)
        at = draw(st.one_of(st.integers(0, min(head, last)), st.integers(0, last)))
        change = draw(st.sampled_from(["flip", "edge", "cut", "insert", "drop", "double", "noise"]))
        if change == "flip" and content:
            content[at] ^= 1 << draw(st.integers(0, 7))
        elif change == "edge":
            size = draw(st.sampled_from([1, 2, 4, 8]))
            order = draw(st.sampled_from(["big", "little"]))
            number = draw(st.sampled_from(EDGES)) % (1 << 8 * size)
            content[at : at + size] = number.to_bytes(size, order)
        elif change == "cut":
            del content[at:]
        elif change == "insert":
            content[at:at] = draw(st.binary(min_size=1, max_size=8))
        elif change == "drop":
            del content[at : at + draw(st.integers(1, 64))]
        elif change == "double":
            content[at:at] = content[at : at + draw(st.integers(1, 256))]
        elif change == "noise":
            noise = draw(st.binary(min_size=1, max_size=16))
            content[at : at + len(noise)] = noise
    return bytes(content)
