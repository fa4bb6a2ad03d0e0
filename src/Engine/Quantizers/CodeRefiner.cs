using System.Buffers;
using Signpost.Engine.Base;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Quantizers;

/// <summary>
/// Fits codes to neighbourhoods. For a vertex v with neighbours u, in rotated space, the code b with the decoded vector z^ is sought
/// that makes J(b) small:
/// <code>J(b) = sum_u (dhat(u, b) - d(u, v))^2 / sum_u ||u - v||^2  +  isotropy ||z_v - z^||^2</code>
/// dhat is the table distance that a query at u would see. Coordinate descent: one subspace after the other takes the codeword
/// with the least J while the others stay (as iterated conditional modes do for additive codes; Babenko, Lempitsky, CVPR 2014).
/// </summary>
/// <remarks>
/// The error of a distance, dhat - d, is -2 (u - v) . e + ||e||^2 with e = z^ - z_v: PQ keeps ||e|| small in all directions, this one
/// keeps e small in the directions in which queries arrive. Under inner product and cosine it is -u . e, taken twice so that
/// both are in units of squared distance.
/// </remarks>
internal sealed unsafe class CodeRefiner
{
    private readonly ProductQuantizer _quantizer;
    private readonly Refinement _refinement;

    /// <summary>Squared lengths of the codewords, and what of them is part of a distance. Shape of both: [M, K].</summary>
    private readonly float[] _squares;
    private readonly float[] _constants;

    public CodeRefiner(ProductQuantizer quantizer, Refinement refinement)
    {
        _quantizer = quantizer;
        _refinement = refinement;
        _squares = new float[quantizer.M * quantizer.K];
        for (int m = 0; m < quantizer.M; m++)
        {
            ReadOnlySpan<float> codebook = quantizer.Codebook(m);
            int width = codebook.Length / quantizer.K;
            for (int k = 0; k < quantizer.K; k++)
            {
                foreach (float component in codebook.Slice(k * width, width))
                {
                    _squares[m * quantizer.K + k] += component * component;
                }
            }
        }

        _constants = quantizer.Metric == Metric.L2 ? _squares : new float[_squares.Length];
    }

    /// <inheritdoc cref="RoutingProductQuantizer.Refine"/>
    public void Refine(VectorBlock vectors, long from, int count, NeighboursOf neighbours, int mostNeighbours, byte* codes)
    {
        int most = (mostNeighbours + NeighbourTile.Rows - 1) / NeighbourTile.Rows * NeighbourTile.Rows;
        int dim = _quantizer.RotatedDim;
        uint[] ids = ArrayPool<uint>.Shared.Rent(mostNeighbours);
        int[] code = ArrayPool<int>.Shared.Rent(_quantizer.M);
        float[] floats = ArrayPool<float>.Shared.Rent(((most + 1) * (dim + _quantizer.Dim)) + (2 * most));
        fixed (float* memory = floats)
        {
            float* rotated = memory + ((most + 1) * _quantizer.Dim);
            float* weights = rotated + ((most + 1) * dim);
            for (int i = 0; i < count; i++)
            {
                int found = neighbours((uint)(from + i), ids);
                if (found > 0)
                {
                    Read(vectors, from + i, ids.AsSpan(0, found), memory, rotated);
                    var place = new Neighbourhood(rotated, dim, found, weights, weights + most);
                    Read(codes + ((long)i * _quantizer.CodeBytes), code);
                    float scale = place.Begin(memory, _quantizer.Dim, _quantizer.Metric == Metric.L2);
                    Descend(place, scale, code);
                    Write(code, codes + ((long)i * _quantizer.CodeBytes));
                }
            }
        }

        ArrayPool<float>.Shared.Return(floats);
        ArrayPool<int>.Shared.Return(code);
        ArrayPool<uint>.Shared.Return(ids);
        GC.KeepAlive(_quantizer);
    }

    /// <summary>The vertex' own vector, then its neighbours', rotated.</summary>
    private void Read(VectorBlock vectors, long vertex, ReadOnlySpan<uint> ids, float* rows, float* rotated)
    {
        int dim = _quantizer.Dim;
        FloatRows.Read(vectors, vertex, 1, _quantizer.Metric, rows);
        for (int i = 0; i < ids.Length; i++)
        {
            FloatRows.Read(vectors, ids[i], 1, _quantizer.Metric, rows + ((i + 1L) * dim));
        }

        _quantizer.RotateTo(rows, ids.Length + 1, rotated);
    }

    private void Descend(in Neighbourhood place, float scale, int[] code)
    {
        int subspaces = _quantizer.M;
        if (!float.IsFinite(scale))
        {
            return; // every neighbour is a copy of the vertex
        }

        for (int m = 0; m < subspaces; m++)
        {
            place.Add(Codewords(m), code[m], 1f);
        }

        for (int sweep = 0; sweep < _refinement.Sweeps; sweep++)
        {
            for (int m = 0; m < subspaces; m++)
            {
                CodebookView codewords = Codewords(m);
                place.Add(codewords, code[m], -1f);
                code[m] = place.Best(codewords, scale, _refinement.Isotropy);
                place.Add(codewords, code[m], 1f);
            }
        }
    }

    private CodebookView Codewords(int m) => new(
        _quantizer.Panels(m), _quantizer.K, Subspaces.Offset(_quantizer.RotatedDim, _quantizer.M, m),
        Subspaces.Width(_quantizer.RotatedDim, _quantizer.M, m),
        _squares.AsSpan(m * _quantizer.K, _quantizer.K), _constants.AsSpan(m * _quantizer.K, _quantizer.K));

    private void Read(byte* source, int[] code)
    {
        var bytes = new ReadOnlySpan<byte>(source, _quantizer.CodeBytes);
        for (int m = 0; m < _quantizer.M; m++)
        {
            code[m] = CodeNumbers.Read(bytes, m, _quantizer.K);
        }
    }

    private void Write(int[] code, byte* target)
    {
        for (int m = 0; m < _quantizer.M; m++)
        {
            CodeNumbers.Write(target + CodeNumbers.ByteOf(m, _quantizer.K), m, _quantizer.K, code[m]);
        }
    }
}
