using System.Buffers;
using Signpost.Engine.Base;
using Signpost.Engine.Kernels;
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
///
/// Of all codewords of a subspace J is a polynomial whose coefficients are sums over the neighbours (<see cref="CostTerms"/>), so a codeword
/// costs as many multiplications as it has components and pairs of them, whatever the number of neighbours. Subspaces that are
/// wider than <see cref="WidestWithProducts"/> have more pairs than neighbours are worth, and are gone through neighbour by neighbour.
/// </remarks>
internal sealed unsafe class CodeRefiner
{
    private const int Group = CostTerms.Group;
    private const int WidestWithProducts = 32;
    private const int Slack = NeighbourLanes.Most; // readable floats after the rotated vectors

    private readonly ProductQuantizer _quantizer;
    private readonly Refinement _refinement;
    private readonly AlignedBuffer _squares; // [M, K]
    private readonly AlignedBuffer _products; // by subspace: panels
    private readonly int[] _pairs; // products of the subspaces before each, and of all

    public CodeRefiner(ProductQuantizer quantizer, Refinement refinement)
    {
        _quantizer = quantizer;
        _refinement = refinement;
        int k = quantizer.K;
        _squares = new AlignedBuffer((long)quantizer.M * k * sizeof(float));
        _pairs = new int[quantizer.M + 1];
        for (int m = 0; m < quantizer.M; m++)
        {
            _pairs[m + 1] = _pairs[m] + (Width(m) <= WidestWithProducts ? CodebookView.PairsOf(Width(m)) : 0);
        }

        _products = new AlignedBuffer((long)_pairs[^1] * k * sizeof(float));
        for (int m = 0; m < quantizer.M; m++)
        {
            Multiply(m, (float*)_squares.Pointer + ((long)m * k));
        }
    }

    /// <inheritdoc cref="RoutingProductQuantizer.Refine"/>
    public void Refine(VectorBlock vectors, long from, int count, NeighboursOf neighbours, int mostNeighbours, byte* codes)
    {
        int dim = _quantizer.RotatedDim, most = mostNeighbours + 1, widest = Width(0);
        long rows = (long)Group * most * _quantizer.Dim, rotated = ((long)Group * most * dim) + Slack;
        long place = Neighbourhood.Floats(dim, mostNeighbours, _pairs[^1]);
        long floats = rows + rotated + (Group * place) + CostTerms.Floats(widest) + (Group * _quantizer.K);
        float[] rented = ArrayPool<float>.Shared.Rent(checked((int)floats));
        fixed (float* memory = rented)
        {
            float* next = memory + rows + rotated;
            var places = new Neighbourhood[Group];
            for (int i = 0; i < Group; i++, next += place)
            {
                places[i] = new Neighbourhood(next, dim, mostNeighbours);
            }

            var scratch = new Scratch(places, memory, memory + rows, new CostTerms(next, widest), next + CostTerms.Floats(widest), mostNeighbours, _quantizer.M);
            for (int i = 0; i < count; i += Group)
            {
                int here = Math.Min(Group, count - i);
                Read(vectors, from + i, here, neighbours, scratch);
                Descend(scratch, codes + ((long)i * _quantizer.CodeBytes));
            }
        }

        ArrayPool<float>.Shared.Return(rented);
        GC.KeepAlive(this);
    }

    /// <summary>Takes vertices that have neighbours other than copies; the others' codes stay.</summary>
    private void Read(VectorBlock vectors, long first, int count, NeighboursOf neighbours, Scratch scratch)
    {
        int dim = _quantizer.Dim, columns = 0;
        Span<int> starts = stackalloc int[Group];
        Span<int> found = stackalloc int[Group];
        for (int i = 0; i < count; i++)
        {
            starts[i] = columns;
            found[i] = neighbours((uint)(first + i), scratch.Ids);
            FloatRows.Read(vectors, first + i, 1, _quantizer.Metric, scratch.Rows + ((long)columns++ * dim));
            for (int j = 0; j < found[i]; j++)
            {
                FloatRows.Read(vectors, scratch.Ids[j], 1, _quantizer.Metric, scratch.Rows + ((long)columns++ * dim));
            }
        }

        _quantizer.RotateToColumns(scratch.Rows, columns, scratch.Rotated);
        bool squared = _quantizer.Metric == Metric.L2;
        for (int i = 0; i < Group; i++)
        {
            scratch.Active[i] = null;
            if (i < count && found[i] > 0)
            {
                double distances = double.NaN;
                Span<float> left = _quantizer.RotatedDim == dim ? [] : scratch.Left.AsSpan(0, found[i]);
                if (!left.IsEmpty)
                {
                    distances = LeftOut(scratch.Rows + ((long)starts[i] * dim), scratch.Rotated + starts[i], columns, squared, left);
                }

                scratch.Places[i].Begin(scratch.Rotated + starts[i], columns, found[i], left, distances, squared);
                scratch.Active[i] = float.IsFinite(scratch.Places[i].Scale) ? scratch.Places[i] : null;
            }
        }
    }

    private void Descend(Scratch scratch, byte* codes)
    {
        int subspaces = _quantizer.M;
        for (int i = 0; i < Group; i++)
        {
            for (int m = 0; m < (scratch.Active[i] is null ? 0 : subspaces); m++)
            {
                var bytes = new ReadOnlySpan<byte>(codes + ((long)i * _quantizer.CodeBytes), _quantizer.CodeBytes);
                int k = scratch.Codes[(i * subspaces) + m] = CodeNumbers.Read(bytes, m, _quantizer.K);
                scratch.Active[i]!.Spread(Codewords(m), _pairs[m]);
                scratch.Active[i]!.Add(Codewords(m), k);
            }
        }

        for (int sweep = 0; sweep < _refinement.Sweeps; sweep++)
        {
            for (int m = 0; m < subspaces; m++)
            {
                Choose(m, scratch);
            }
        }

        for (int i = 0; i < Group; i++)
        {
            byte* target = codes + ((long)i * _quantizer.CodeBytes);
            for (int m = 0; m < (scratch.Active[i] is null ? 0 : subspaces); m++)
            {
                CodeNumbers.Write(target + CodeNumbers.ByteOf(m, _quantizer.K), m, _quantizer.K, scratch.Codes[(i * subspaces) + m]);
            }
        }
    }

    /// <summary>Gives every vertex the codeword of subspace <paramref name="m"/> with the least J, the lower one of equals.</summary>
    private void Choose(int m, Scratch scratch)
    {
        CodebookView codewords = Codewords(m);
        for (int i = 0; i < Group; i++)
        {
            scratch.Active[i]?.Terms(codewords, _pairs[m], scratch.Codes[(i * _quantizer.M) + m], _refinement.Isotropy, scratch.Terms, i);
        }

        CodewordCosts.Compute<Native>(codewords, scratch.Terms, scratch.Active, scratch.Costs);
        for (int i = 0; i < Group; i++)
        {
            ref int chosen = ref scratch.Codes[(i * _quantizer.M) + m];
            int best = NeighbourLanes.Least(scratch.Costs + (i * codewords.K), codewords.K);
            if (best != chosen)
            {
                scratch.Active[i]?.Take(codewords, best);
                chosen = best;
            }
        }
    }

    /// <summary>What of each error is in none of the directions that the rotation keeps, and the sum of the squared distances.</summary>
    private double LeftOut(float* rows, float* rotated, int step, bool squared, Span<float> left)
    {
        int dim = _quantizer.Dim;
        double all = 0;
        for (int i = 0; i < left.Length; i++)
        {
            (double distance, double product, double square) = Compare(rows, rows + ((i + 1L) * dim), 1, dim);
            (_, double keptProduct, double keptSquare) = Compare(rotated, rotated + i + 1, step, _quantizer.RotatedDim);
            left[i] = (float)(2 * (product - keptProduct) - (squared ? square - keptSquare : 0));
            all += distance;
        }

        return all;
    }

    private static (double Distance, double Product, double OwnSquare) Compare(float* own, float* other, int step, int dim)
    {
        double distance = 0, product = 0, ownSquare = 0;
        for (long d = 0; d < (long)dim * step; d += step)
        {
            double difference = other[d] - own[d];
            distance += difference * difference;
            product += (double)other[d] * own[d];
            ownSquare += (double)own[d] * own[d];
        }

        return (distance, product, ownSquare);
    }

    /// <summary>Fills in the squared lengths of a subspace's codewords and the products of their components.</summary>
    private void Multiply(int m, float* squares)
    {
        const int Lanes = CodewordKernels.PanelWidth;
        int width = Width(m), pairs = _pairs[m + 1] - _pairs[m];
        float* products = (float*)_products.Pointer + ((long)_pairs[m] * _quantizer.K);
        for (int k = 0; k < _quantizer.K; k++)
        {
            ReadOnlySpan<float> codeword = _quantizer.Codebook(m).Slice(k * width, width);
            float* lane = products + ((long)(k / Lanes) * Lanes * pairs) + (k % Lanes);
            for (int d = 0; d < width; d++)
            {
                squares[k] += codeword[d] * codeword[d];
                for (int e = d; e < (pairs > 0 ? width : 0); e++, lane += Lanes)
                {
                    *lane = codeword[d] * codeword[e];
                }
            }
        }
    }

    private int Width(int m) => Subspaces.Width(_quantizer.RotatedDim, _quantizer.M, m);

    private CodebookView Codewords(int m) => new(
        _quantizer.Panels(m), _pairs[m + 1] == _pairs[m] ? null : (float*)_products.Pointer + ((long)_pairs[m] * _quantizer.K),
        (float*)_squares.Pointer + ((long)m * _quantizer.K), _quantizer.K, Subspaces.Offset(_quantizer.RotatedDim, _quantizer.M, m), Width(m));

    /// <summary>What one call of <see cref="Refine"/> works on.</summary>
    private sealed class Scratch(Neighbourhood[] places, float* rows, float* rotated, CostTerms terms, float* costs, int most, int subspaces)
    {
        public readonly Neighbourhood[] Places = places;
        public readonly Neighbourhood?[] Active = new Neighbourhood?[Group];
        public readonly float* Rows = rows;
        public readonly float* Rotated = rotated;
        public readonly CostTerms Terms = terms;
        public readonly float* Costs = costs;
        public readonly uint[] Ids = new uint[most];
        public readonly float[] Left = new float[most];
        public readonly int[] Codes = new int[Group * subspaces];
    }
}
