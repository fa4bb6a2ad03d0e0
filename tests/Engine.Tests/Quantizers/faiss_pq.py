"""Reconstruction error of faiss on a file of vectors: the peer that the tests of product quantizers compare with.

usage: faiss_pq.py check
       faiss_pq.py VECTORS.fvecs M ROTATIONS
"check" ends with 0 where faiss can be imported. Otherwise prints the mean squared error of faiss.ProductQuantizer (8 bits per
subspace), where ROTATIONS > 0 behind a faiss.OPQMatrix of that many rounds, trained and measured on the same vectors.
"""
import sys

import faiss
import numpy as np


def main():
    if sys.argv[1] == "check":
        return
    path, m, rotations = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    raw = np.fromfile(path, dtype=np.int32)
    vectors = np.ascontiguousarray(raw.reshape(-1, raw[0] + 1)[:, 1:]).view(np.float32)
    if rotations > 0:
        rotation = faiss.OPQMatrix(vectors.shape[1], m)
        rotation.niter = rotations
        rotation.train(vectors)
        vectors = rotation.apply_py(vectors)
    quantizer = faiss.ProductQuantizer(vectors.shape[1], m, 8)
    quantizer.train(vectors)
    decoded = quantizer.decode(quantizer.compute_codes(vectors))
    print(float(((vectors - decoded).astype(np.float64) ** 2).sum(axis=1).mean()))


if __name__ == "__main__":
    main()
