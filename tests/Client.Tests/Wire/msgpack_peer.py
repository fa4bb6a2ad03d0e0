"""Reads MessagePack from stdin and writes the same values to stdout; `make SEED`: writes values of its own instead.

    msgpack_peer.py copy double|single     floats are written with 64 or 32 bits
    msgpack_peer.py make SEED
"""
import random
import sys

import msgpack


def value(rng, depth):
    kind = rng.randrange(8 if depth else 6)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind == 1:
        return rng.choice([1, -1]) * rng.getrandbits(rng.randrange(1, 64))
    if kind == 2:
        return rng.getrandbits(64)
    if kind == 3:
        return rng.gauss(0, 1e3)
    if kind == 4:
        return "ä" * rng.choice([0, 1, 15, 16, 127, 128, 32768])
    if kind == 5:
        return bytes(rng.choice([0, 1, 255, 256, 65535, 65536]))
    if kind == 6:
        return [value(rng, depth - 1) for _ in range(rng.choice([0, 1, 15, 16, 40]))]
    return {f"k{i}": value(rng, depth - 1) for i in range(rng.choice([0, 1, 15, 16]))}


if sys.argv[1] == "copy":
    values = msgpack.unpackb(sys.stdin.buffer.read(), strict_map_key=False)
    sys.stdout.buffer.write(msgpack.packb(values, use_single_float=sys.argv[2] == "single"))
elif sys.argv[1] == "make":
    rng = random.Random(int(sys.argv[2]))
    sys.stdout.buffer.write(msgpack.packb([value(rng, 2) for _ in range(100)]))
