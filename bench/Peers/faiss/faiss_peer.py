#!/usr/bin/python3
"""Searches with FAISS (Debian's python3-faiss) as `signpost eval` does, and prints the same JSON.

One graph of degree R = 32 is built on the full vectors and kept in --cache. It is then walked on the full vectors
(--walk flat) or on codes (--walk pq16, pq32, opq16, ...), and with codes the pool of L candidates is ordered again by exact
distances (--rerank 1, the default). Everything that is timed runs in FAISS' own C++ on one thread.
"""

import argparse
import json
import os
import re
import resource
import statistics
import sys
import time

import faiss
import numpy as np

DEGREE = 32  # neighbours of a vertex: NSG's R; HNSW's M = 16 gives 2 M at its lowest level


def read_rows(path):
    """Rows of an fvecs, bvecs or ivecs file. Shape: [count, dim]."""
    kind = {".fvecs": np.float32, ".bvecs": np.uint8, ".ivecs": np.int32}.get(os.path.splitext(path)[1])
    if kind is None:
        sys.exit(f"faiss_peer: {path}: the name must end with .fvecs, .bvecs or .ivecs")
    raw = np.memmap(path, dtype=np.uint8, mode="r")
    dim = int(raw[:4].view(np.int32)[0])
    row = 4 + dim * np.dtype(kind).itemsize
    if dim <= 0 or raw.size % row != 0:
        sys.exit(f"faiss_peer: {path}: not a whole number of rows of one dimension")
    body = np.ascontiguousarray(raw.reshape(-1, row)[:, 4:]).view(kind)
    return body if kind is np.int32 else np.ascontiguousarray(body, dtype=np.float32)


def cached(path, make):
    """The index in `path`, or the one that `make` returns, written there with what it cost beside it."""
    if not os.path.exists(path):
        wall, cpu = time.monotonic(), time.process_time()
        index = make()
        cost = {
            "wall_s": time.monotonic() - wall,
            "cpu_s": time.process_time() - cpu,
            "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }
        faiss.write_index(index, path + ".new")
        with open(path + ".json", "w") as out:
            json.dump(cost, out)
        os.replace(path + ".new", path)
    with open(path + ".json") as cost:
        return faiss.read_index(path), json.load(cost)


def build_graph(options, base):
    if options.graph == "nsg":
        graph = faiss.IndexNSGFlat(base.shape[1], DEGREE)
        graph.build_type = 1  # its k-nearest-neighbour graph by NN-descent, not by exhaustive search
    else:
        graph = faiss.IndexHNSWFlat(base.shape[1], DEGREE // 2)
        graph.hnsw.efConstruction = options.efc
    graph.add(base)
    return graph


def build_codes(walk, base):
    """An IndexPQ of all vectors, behind an OPQ rotation if the name asks for one."""
    rotated, m = re.fullmatch(r"(o?)pq(\d+)", walk).groups()
    sample = base[np.random.default_rng(1).permutation(len(base))[:65536]]
    codes = faiss.IndexPQ(base.shape[1], int(m), 8)
    if rotated:
        rotation = faiss.OPQMatrix(base.shape[1], int(m))
        rotation.niter = 10  # of 50: minutes instead of a quarter of an hour, and the error has settled
        codes = faiss.IndexPreTransform(rotation, codes)
    codes.train(sample)
    codes.add(base)
    return codes


class System:
    """A graph and what it is walked on. FAISS frees nothing here: each part is kept by the fields of this object."""

    def __init__(self, graph, codes, rerank):
        self.graph, self.codes, self.rerank = graph, codes, rerank
        self.flat = graph.storage
        self.index, self.is_nsg = graph, isinstance(graph, faiss.IndexNSG)
        graph.own_fields = False
        if codes is None:
            return
        inner = codes
        if isinstance(codes, faiss.IndexPreTransform):
            inner = faiss.downcast_index(codes.index)
            codes.own_fields = False
            codes.index = graph
            self.index = codes
        self.inner = inner
        graph.storage = inner
        if rerank:
            self.index = faiss.IndexRefine(self.index, self.flat)

    def search(self, queries, k, pool):
        if self.is_nsg:
            self.graph.nsg.search_L = pool
        else:
            self.graph.hnsw.efSearch = pool
        if self.codes is not None and self.rerank:
            self.index.k_factor = pool / k
        return self.index.search(queries, k)[1]

    def bytes_per_vector(self, count):
        """Graph, and codes or vectors: what the walk touches. The exact vectors for re-ranking come on top."""
        if self.is_nsg:
            links = count * DEGREE * 4
        else:
            links = self.graph.hnsw.neighbors.size() * 4 + (self.graph.hnsw.offsets.size() * 8) + self.graph.hnsw.levels.size() * 4
        return links / count + (self.inner.code_size if self.codes is not None else self.graph.d * 4)


def measure(system, options, queries, truth, base_count, pool):
    k = options.k
    found = system.search(queries, k, pool)  # also warms the caches; not timed
    hits = sum(len(np.intersect1d(found[i], truth[i, :k])) for i in range(len(queries)))

    walls, cpus = [], []
    for _ in range(options.repeat):
        wall, cpu = time.perf_counter(), time.process_time()
        system.search(queries, k, pool)
        cpus.append(time.process_time() - cpu)
        walls.append(time.perf_counter() - wall)
    single = []
    for i in range(min(len(queries), 1000)):
        start = time.perf_counter()
        system.search(queries[i : i + 1], k, pool)
        single.append(time.perf_counter() - start)

    coded = system.codes is not None
    return {
        "search": "codes+rerank" if coded and options.rerank else "codes" if coded else "exact",
        "quantizer": options.walk.rstrip("0123456789") if coded else "none",
        "m": system.inner.pq.M if coded else None,
        "k": k,
        "l": pool,
        "rerank": pool if coded and options.rerank else None,
        f"recall_at_{k}": round(hits / (len(queries) * k), 4),
        "qps_1": round(len(queries) / statistics.median(walls)),
        "qps_cpu": round(len(queries) / statistics.median(cpus)),
        "p50_us": round(1e6 * float(np.percentile(single, 50)), 1),
        "p95_us": round(1e6 * float(np.percentile(single, 95)), 1),
        "p99_us": round(1e6 * float(np.percentile(single, 99)), 1),
        "distance_computations": None,  # this version does not count them
        "resident_bytes_per_vector": round(system.bytes_per_vector(base_count), 1),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--queries", required=True)
    parser.add_argument("--truth", required=True)
    parser.add_argument("--cache", default="/tmp/signpost-peers", help="folder of built indexes")
    parser.add_argument("--graph", choices=["hnsw", "nsg"], default="hnsw")
    parser.add_argument("--efc", type=int, default=40, help="efConstruction of --graph hnsw")
    parser.add_argument("--walk", default="pq16", help="flat, or the codes: pq16, pq32, opq16 (8 bits a subspace)")
    parser.add_argument("--rerank", type=int, choices=[0, 1], default=1)
    parser.add_argument("--l", default="20,40,80,160,320", help="pool sizes")
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2, help="of building; a search has one")
    options = parser.parse_args()
    if options.walk != "flat" and not re.fullmatch(r"o?pq\d+", options.walk):
        parser.error("--walk is flat, pqM or opqM")

    base, queries, truth = read_rows(options.data), read_rows(options.queries), read_rows(options.truth)
    if truth.shape[0] < len(queries) or truth.shape[1] < options.k or base.shape[1] != queries.shape[1]:
        parser.error("data, queries and truth do not belong together")
    os.makedirs(options.cache, exist_ok=True)
    faiss.omp_set_num_threads(options.threads)
    name = os.path.join(options.cache, f"faiss-{{}}-{os.path.basename(options.data)}.index")
    shape = f"nsg{DEGREE}" if options.graph == "nsg" else f"hnsw{DEGREE // 2}-efc{options.efc}"
    graph, cost = cached(name.format(shape), lambda: build_graph(options, base))
    codes, codes_cost = None, None
    if options.walk != "flat":
        codes, codes_cost = cached(name.format(options.walk), lambda: build_codes(options.walk, base))

    faiss.omp_set_num_threads(1)
    count = len(base)
    del base
    system = System(graph, codes, options.rerank)
    print(json.dumps({"system": f"FAISS {faiss.__version__} {shape} {options.walk}", "build": cost, "codes": codes_cost})[:-1] + ', "points": [')
    pools = [int(pool) for pool in options.l.split(",")]
    for pool in pools:
        point = measure(system, options, queries, truth, count, pool)
        print("  " + json.dumps(point) + ("," if pool != pools[-1] else ""), flush=True)
    print("]}")
    sys.stdout.flush()
    os._exit(0)  # the parts refer to each other: let the process end take them, not the interpreter's order of freeing


if __name__ == "__main__":
    main()
