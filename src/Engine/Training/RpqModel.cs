using Signpost.Engine.Base;
using Signpost.Engine.Kernels;
using Signpost.Engine.Quantizers;

namespace Signpost.Engine.Training;

/// <summary>
/// The joint loss of routing-guided product quantization and its gradient in closed form (Yue, Xu, Wang, Tao, Luo, ICDE 2024,
/// arXiv 2311.18724; the loss is that of the authors' published code).
/// </summary>
/// <remarks>
/// A row x is rotated, z = R x; subspace m of it has the squared distances t_mk to the codewords, the assignment probabilities
/// y_m = softmax(-t_m / T_m) and the hard code h_m = arg-min t_m. Losses see the hard code; gradients pass through y as if the loss had
/// seen onehot(h) + y - constant (straight-through). The code distance of a query and a vertex is dhat(q, v) = sum of t_m,h(v)(q).
///
/// Two passes, each with subspaces side by side on the threads: the first makes codes and tables, whose sums over the subspaces are
/// the code distances; from these come the losses and their derivatives by every distance (<see cref="PairLosses"/>); given those,
/// subspaces are independent again. Assignment probabilities are made anew in the second pass rather than kept: memory then does not
/// grow with the temperature. The result does not depend on the number of threads.
///
/// Owns its scratch, which grows to the largest batch seen. Not thread-safe.
/// </remarks>
internal sealed unsafe class RpqModel(int dim, int m, int k) : IDisposable
{
    private const int RotationChunkRows = 512;
    private const int PairChunk = 4096;

    private readonly RpqPairs _pairs = new();
    private readonly RpqStep _step = new(dim, m, k);
    private readonly GrowingBuffer _rotated = new();
    private readonly GrowingBuffer _gradients = new();
    private readonly GrowingBuffer _tables = new();
    private readonly GrowingBuffer _codes = new();
    private readonly AlignedBuffer _panels = new((long)k * dim * sizeof(float));
    private readonly double[] _errors = new double[m];
    private readonly double[] _temperatureGradients = new double[m];
    private PerWorker<SubspaceScratch>? _scratch;
    private int _workers;

    private delegate void SubspaceBody(in Subspace subspace, SubspaceScratch scratch);

    /// <summary>Losses and gradients of a batch at <paramref name="parameters"/>.</summary>
    /// <returns>Valid until the next call.</returns>
    public RpqStep Step(RpqParameters parameters, RpqBatch batch, RpqLoss loss, Work work)
    {
        Work silent = work.Silent();
        Forward(parameters, batch, loss, silent);
        fixed (float* rotationGradient = _step.Rotation)
        {
            float* target = rotationGradient;
            new Span<float>(target, dim * dim).Clear();
            ForEachSubspace("backward", parameters, batch, silent, (in Subspace subspace, SubspaceScratch scratch) =>
            {
                _temperatureGradients[subspace.M] += SubspaceBackward.Run(subspace, _pairs, batch, loss, scratch);
                SubspaceBackward.AddRotation(subspace, batch, target + (long)Subspaces.Offset(dim, m, subspace.M) * dim);
            });
        }

        for (int i = 0; i < m; i++)
        {
            _step.LogTemperatures[i] = (float)_temperatureGradients[i];
        }

        return _step;
    }

    /// <summary>Losses of a batch; the gradients of the result mean nothing.</summary>
    /// <returns>Valid until the next call.</returns>
    public RpqStep Losses(RpqParameters parameters, RpqBatch batch, RpqLoss loss, Work work)
    {
        Forward(parameters, batch, loss, work.Silent());
        return _step;
    }

    /// <summary>The code distances of the pairs of the last batch, and what the loss makes of them.</summary>
    internal RpqPairs Pairs => _pairs;

    /// <inheritdoc/>
    public void Dispose()
    {
        _rotated.Dispose();
        _gradients.Dispose();
        _tables.Dispose();
        _codes.Dispose();
        _panels.Dispose();
        _scratch?.Dispose();
    }

    private void Forward(RpqParameters parameters, RpqBatch batch, RpqLoss loss, Work work)
    {
        Check.That(parameters.Dim == dim && parameters.M == m && parameters.K == k);
        loss.CheckRanges();
        batch.CheckAgainst(parameters);
        Prepare(batch, work.Threads);
        Rotate(parameters.Rotation, batch.Anchors, 0, work);
        Rotate(parameters.Rotation, batch.Vertices, batch.Anchors.Count, work);
        ForEachSubspace("encode", parameters, batch, work, (in Subspace subspace, SubspaceScratch scratch) =>
        {
            CodewordKernels.Pack(new ReadOnlySpan<float>(subspace.Codewords, k * subspace.Width), k, subspace.Width, subspace.Panels);
            new Span<float>(subspace.CodewordGradients, k * subspace.Width).Clear();
            Clear(subspace.Gradients, (long)(subspace.AnchorCount + subspace.VertexCount) * subspace.Width);
            (_errors[subspace.M], _temperatureGradients[subspace.M]) = SubspaceForward.Run(subspace, batch, loss, scratch);
        });
        AddUpDistances(batch, work);
        _step.Reconstruction = _errors.Sum() / Math.Max(1, Reconstructed(batch, loss));
        _step.Neighbourhood = PairLosses.Triplets(batch.Triplets.Length, loss.Margin, loss.Neighbourhood, _pairs);
        (_step.Routing, _step.Agreement) = PairLosses.Routing(batch.Records, loss.RoutingTemperature, loss.Routing, _pairs);
        _step.Total = loss.Reconstruction * _step.Reconstruction + loss.Neighbourhood * _step.Neighbourhood + loss.Routing * _step.Routing;
    }

    private static int Reconstructed(RpqBatch batch, RpqLoss loss) =>
        loss.ReconstructionOf == ReconstructionOf.Vertices ? batch.Vertices.Count : batch.Anchors.Count;

    private void Prepare(RpqBatch batch, int threads)
    {
        long rows = (long)batch.Anchors.Count + batch.Vertices.Count;
        _rotated.Reserve(rows * dim * sizeof(float));
        _gradients.Reserve(rows * dim * sizeof(float));
        _tables.Reserve((long)m * batch.Anchors.Count * k * sizeof(float));
        _codes.Reserve((long)m * batch.Vertices.Count);
        _pairs.Reset(batch);
        if (_scratch is null || _workers < threads)
        {
            _scratch?.Dispose();
            _scratch = new PerWorker<SubspaceScratch>(threads, () => new SubspaceScratch(k));
            _workers = threads;
        }
    }

    private void Rotate(float[] rotation, FloatRows rows, int firstRow, Work work)
    {
        float* target = (float*)_rotated.Pointer + (long)firstRow * dim;
        work.For("rotate", rows.Count, RotationChunkRows, (from, to, _) =>
        {
            fixed (float* r = rotation)
            {
                MatrixProduct.MultiplyTransposed(rows.Row((int)from), (int)(to - from), r, dim, dim, target + from * dim);
            }
        });
    }

    private void ForEachSubspace(string phase, RpqParameters parameters, RpqBatch batch, Work work, SubspaceBody body) =>
        work.For(phase, m, 1, (from, to, worker) =>
        {
            fixed (float* codewords = parameters.Codewords)
            fixed (float* codewordGradients = _step.Codewords)
            {
                for (int i = (int)from; i < to; i++)
                {
                    body(SubspaceOf(i, parameters, batch, codewords, codewordGradients), _scratch![worker]);
                }
            }
        });

    private Subspace SubspaceOf(int i, RpqParameters parameters, RpqBatch batch, float* codewords, float* codewordGradients)
    {
        int offset = Subspaces.Offset(dim, m, i);
        return new Subspace
        {
            M = i,
            K = k,
            Width = Subspaces.Width(dim, m, i),
            AnchorCount = batch.Anchors.Count,
            VertexCount = batch.Vertices.Count,
            First = (float*)_rotated.Pointer + offset,
            Stride = dim,
            Gradients = (float*)_gradients.Pointer + ((long)batch.Anchors.Count + batch.Vertices.Count) * offset,
            Codewords = codewords + k * offset,
            CodewordGradients = codewordGradients + k * offset,
            Panels = (float*)_panels.Pointer + k * offset,
            Tables = (float*)_tables.Pointer + (long)i * batch.Anchors.Count * k,
            Codes = _codes.Pointer + (long)i * batch.Vertices.Count,
            InverseTemperature = MathF.Exp(-parameters.LogTemperatures[i]),
        };
    }

    // dhat of every pair; always in the order of the subspaces.
    private void AddUpDistances(RpqBatch batch, Work work)
    {
        var tables = (float*)_tables.Pointer;
        byte* codes = _codes.Pointer;
        long tableStride = (long)batch.Anchors.Count * k;
        long codeStride = batch.Vertices.Count;
        work.For("distances", _pairs.Count, PairChunk, (from, to, _) =>
        {
            for (long pair = from; pair < to; pair++)
            {
                float* table = tables + (long)_pairs.Anchors[pair] * k;
                byte* code = codes + _pairs.Vertices[pair];
                float sum = 0;
                for (int i = 0; i < m; i++, table += tableStride, code += codeStride)
                {
                    sum += table[*code];
                }

                _pairs.Distances[pair] = sum;
            }
        });
    }

    private static void Clear(float* target, long count)
    {
        const int Most = 1 << 28;
        for (long done = 0; done < count; done += Most)
        {
            new Span<float>(target + done, (int)Math.Min(Most, count - done)).Clear();
        }
    }
}
