using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Training;

namespace Signpost.Engine.Tests.Training;

/// <summary>
/// The joint loss of RPQ as its definition reads, in double precision with dense sums: the dull truth beside <see cref="RpqModel"/>.
/// Losses are those of the straight-through surrogate, in which a code is onehot + y - y0 with onehot and y0 frozen, so that finite
/// differences of <see cref="Losses"/> are what gradients have to be.
/// </summary>
internal sealed class DenseRpq(int dim, int m, int k, RpqBatch batch, RpqLoss loss)
{
    public double[][] AllRows { get; } = [.. Rows(batch.Anchors), .. Rows(batch.Vertices)];

    /// <summary>The parameters that losses are a function of.</summary>
    internal sealed record State(double[] Codewords, double[] Rotation, double[] LogTemperatures)
    {
        public static State Of(RpqParameters parameters) => new(
            [.. parameters.Codewords.Select(x => (double)x)],
            [.. parameters.Rotation.Select(x => (double)x)],
            [.. parameters.LogTemperatures.Select(x => (double)x)]);

        public State Copy() => new([.. Codewords], [.. Rotation], [.. LogTemperatures]);
    }

    /// <summary>onehot - y0 of each row and subspace, at the state where gradients are wanted.</summary>
    internal sealed record Frozen(int[,] Codes, double[,][] Offsets);

    internal sealed record Result(double Reconstruction, double Neighbourhood, double Routing)
    {
        public double Total(RpqLoss loss) =>
            loss.Reconstruction * Reconstruction + loss.Neighbourhood * Neighbourhood + loss.Routing * Routing;
    }

    private int AnchorCount => batch.Anchors.Count;

    public int First(int subspace) => Subspaces.Offset(dim, m, subspace);

    public int Width(int subspace) => Subspaces.Width(dim, m, subspace);

    public Frozen Freeze(State state)
    {
        var codes = new int[AllRows.Length, m];
        var offsets = new double[AllRows.Length, m][];
        for (int row = 0; row < AllRows.Length; row++)
        {
            double[] z = Rotate(state, row);
            for (int s = 0; s < m; s++)
            {
                double[] y = Assignment(state, row, z, s);
                codes[row, s] = Array.IndexOf(y, y.Max());
                if (row >= AnchorCount && batch.Codes is { } given)
                {
                    codes[row, s] = given[(row - AnchorCount) * m + s];
                }

                offsets[row, s] = [.. y.Select((value, i) => (i == codes[row, s] ? 1.0 : 0.0) - value)];
            }
        }

        return new Frozen(codes, offsets);
    }

    /// <summary>The surrogate losses.</summary>
    public Result Losses(State state, Frozen frozen)
    {
        double[][] z = [.. Enumerable.Range(0, AllRows.Length).Select(row => Rotate(state, row))];
        double[][][] codes = [.. Enumerable.Range(0, AllRows.Length).Select(row => Codes(state, frozen, row, z[row]))];
        double Distance(int anchor, int vertex)
        {
            double sum = 0;
            for (int s = 0; s < m; s++)
            {
                for (int i = 0; i < k; i++)
                {
                    sum += codes[AnchorCount + vertex][s][i] * SquaredDistance(state, z[anchor], s, i);
                }
            }

            return sum;
        }

        double triplets = batch.Triplets.Select(one =>
            Math.Max(0, loss.Margin + Distance(one.Anchor, one.Positive) - Distance(one.Anchor, one.Negative))).DefaultIfEmpty(0).Average();
        double routing = 0;
        for (int i = 0; i < batch.Records.Count; i++)
        {
            int record = i;
            int[] members = [.. Enumerable.Range(batch.Records.Starts[i], batch.Records.Starts[i + 1] - batch.Records.Starts[i])];
            double[] odds = [.. members.Select(c =>
                Math.Exp(-Distance(batch.Records.Anchors[record], batch.Records.Candidates[c]) / loss.RoutingTemperature))];
            double right = members.Select((c, j) => batch.Records.Acceptable[c] ? odds[j] : 0).Sum();
            routing -= batch.Records.Weights[i] / batch.Records.Weights.Sum(w => (double)w) * Math.Log(right / odds.Sum());
        }

        int[] reconstructed = loss.ReconstructionOf == ReconstructionOf.Anchors
            ? [.. Enumerable.Range(0, AnchorCount)]
            : [.. Enumerable.Range(AnchorCount, batch.Vertices.Count)];
        return new Result(reconstructed.Average(row => Error(state, row, codes[row])), triplets, routing);
    }

    /// <summary>Derivatives by central differences of the weighted sum: by codewords, ln T, and R exp(S) at S = 0 for skew S.</summary>
    /// <returns>The last as the lower triangle of S, row by row.</returns>
    public (double[] Codewords, double[] Rotation, double[] LogTemperatures) Differences(State at, double h = 1e-5)
    {
        Frozen frozen = Freeze(at);
        double Slope(Action<State, double> move)
        {
            State up = at.Copy();
            State down = at.Copy();
            move(up, h);
            move(down, -h);
            return (Losses(up, frozen).Total(loss) - Losses(down, frozen).Total(loss)) / (2 * h);
        }

        var lower = new List<double>();
        for (int row = 0; row < dim; row++)
        {
            for (int column = 0; column < row; column++)
            {
                (int a, int b) = (row, column);
                lower.Add(Slope((state, by) => Turn(state.Rotation, a, b, by)));
            }
        }

        return (
            [.. at.Codewords.Select((_, i) => Slope((state, by) => state.Codewords[i] += by))],
            [.. lower],
            [.. at.LogTemperatures.Select((_, i) => Slope((state, by) => state.LogTemperatures[i] += by))]);
    }

    // R exp(S), S(a, b) = by = -S(b, a): a turn in the plane of two columns of R.
    private void Turn(double[] rotation, int a, int b, double by)
    {
        (double sin, double cos) = Math.SinCos(by);
        for (int i = 0; i < dim; i++)
        {
            (double x, double y) = (rotation[i * dim + a], rotation[i * dim + b]);
            rotation[i * dim + a] = cos * x - sin * y;
            rotation[i * dim + b] = sin * x + cos * y;
        }
    }

    // ||x - R^T z^||^2 in the space before rotation, as the loss is defined.
    private double Error(State state, int row, double[][] code)
    {
        var decoded = new double[dim];
        for (int s = 0; s < m; s++)
        {
            for (int d = 0; d < Width(s); d++)
            {
                double value = 0;
                for (int i = 0; i < k; i++)
                {
                    value += code[s][i] * Codeword(state, s, i, d);
                }

                for (int j = 0; j < dim; j++)
                {
                    decoded[j] += state.Rotation[(First(s) + d) * dim + j] * value;
                }
            }
        }

        return AllRows[row].Zip(decoded, (x, y) => (x - y) * (x - y)).Sum();
    }

    private double[][] Codes(State state, Frozen frozen, int row, double[] z)
    {
        bool soft = loss.StraightThrough && (row < AnchorCount || batch.Codes is null);
        return [.. Enumerable.Range(0, m).Select(s => soft
            ? Assignment(state, row, z, s).Zip(frozen.Offsets[row, s], (y, offset) => y + offset).ToArray()
            : [.. Enumerable.Range(0, k).Select(i => i == frozen.Codes[row, s] ? 1.0 : 0.0)])];
    }

    public double[] Assignment(State state, int row, double[] z, int s)
    {
        double[] logits = [.. Enumerable.Range(0, k).Select(i => -SquaredDistance(state, z, s, i) / Math.Exp(state.LogTemperatures[s]))];
        if (row < AnchorCount && loss.AnchorNoise > 0 && loss.ReconstructionOf == ReconstructionOf.Anchors)
        {
            var noise = new float[k];
            Gumbel.Fill(noise, new Seeded(loss.Seed, Gumbel.Stream(batch.Step, row, s)));
            logits = [.. logits.Select((value, i) => value + loss.AnchorNoise * noise[i])];
        }

        double most = logits.Max();
        double sum = logits.Sum(value => Math.Exp(value - most));
        return [.. logits.Select(value => Math.Exp(value - most) / sum)];
    }

    public double SquaredDistance(State state, double[] z, int s, int codeword)
    {
        double sum = 0;
        for (int d = 0; d < Width(s); d++)
        {
            double off = z[First(s) + d] - Codeword(state, s, codeword, d);
            sum += off * off;
        }

        return sum;
    }

    public double Codeword(State state, int s, int codeword, int d) => state.Codewords[k * First(s) + codeword * Width(s) + d];

    public double[] Rotate(State state, int row)
    {
        var z = new double[dim];
        for (int i = 0; i < dim; i++)
        {
            for (int j = 0; j < dim; j++)
            {
                z[i] += state.Rotation[i * dim + j] * AllRows[row][j];
            }
        }

        return z;
    }

    private static unsafe IEnumerable<double[]> Rows(FloatRows rows)
    {
        var result = new double[rows.Count][];
        for (int i = 0; i < rows.Count; i++)
        {
            result[i] = new double[rows.Dim];
            for (int d = 0; d < rows.Dim; d++)
            {
                result[i][d] = rows.Row(i)[d];
            }
        }

        return result;
    }
}
