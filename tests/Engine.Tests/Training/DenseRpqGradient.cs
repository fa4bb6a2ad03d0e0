using Signpost.Engine.Training;

namespace Signpost.Engine.Tests.Training;

/// <summary>The gradient of <see cref="DenseRpq"/> in closed form, double precision, every codeword of every row.</summary>
internal sealed class DenseRpqGradient
{
    private readonly DenseRpq _model;
    private readonly DenseRpq.State _state;
    private readonly RpqBatch _batch;
    private readonly RpqLoss _loss;
    private readonly int _dim;
    private readonly int _m;
    private readonly int _k;
    private readonly double[][] _z;
    private readonly int[,] _codes;
    private readonly double[][] _dz;
    private readonly double[,][] _upstream;

    public DenseRpqGradient(int dim, int m, int k, RpqBatch batch, RpqLoss loss, DenseRpq.State state)
    {
        (_dim, _m, _k, _batch, _loss, _state) = (dim, m, k, batch, loss, state);
        _model = new DenseRpq(dim, m, k, batch, loss);
        double[][] rows = _model.AllRows;
        _z = [.. rows.Select((_, row) => _model.Rotate(state, row))];
        _codes = _model.Freeze(state).Codes;
        _dz = [.. rows.Select(_ => new double[dim])];
        _upstream = new double[rows.Length, m][];
        for (int row = 0; row < rows.Length; row++)
        {
            for (int s = 0; s < m; s++)
            {
                _upstream[row, s] = new double[k];
            }
        }

        Codewords = new double[k * dim];
        LogTemperatures = new double[m];
        Rotation = new double[dim * dim];
        Reconstruction();
        Triplets();
        Routing();
        Assignments();
        for (int row = 0; row < rows.Length; row++)
        {
            for (int i = 0; i < dim * dim; i++)
            {
                Rotation[i] += _dz[row][i / dim] * rows[row][i % dim];
            }
        }
    }

    public double[] Codewords { get; }

    /// <summary>G = dL/dR in the rotated space. Shape: [dim, dim].</summary>
    public double[] Rotation { get; }

    public double[] LogTemperatures { get; }

    /// <summary>Lower triangle of R^T G - G^T R: the derivative by S of R exp(S) at S = 0.</summary>
    public static double[] Skew(double[] rotation, double[] gradient, int dim)
    {
        double Product(int i, int j) => Enumerable.Range(0, dim).Sum(row => rotation[row * dim + i] * gradient[row * dim + j]);
        return [.. Enumerable.Range(0, dim).SelectMany(i => Enumerable.Range(0, i).Select(j => Product(i, j) - Product(j, i)))];
    }

    // weight * ||z_row,s - c_code||^2
    private void AddDistance(int row, int s, int code, double weight)
    {
        for (int d = 0; d < _model.Width(s); d++)
        {
            double term = 2 * weight * (_z[row][_model.First(s) + d] - _model.Codeword(_state, s, code, d));
            _dz[row][_model.First(s) + d] += term;
            Codewords[_k * _model.First(s) + code * _model.Width(s) + d] -= term;
        }
    }

    private void Reconstruction()
    {
        bool anchors = _loss.ReconstructionOf == ReconstructionOf.Anchors;
        int from = anchors ? 0 : _batch.Anchors.Count;
        int count = anchors ? _batch.Anchors.Count : _batch.Vertices.Count;
        for (int row = from; row < from + count; row++)
        {
            for (int s = 0; s < _m; s++)
            {
                int code = _codes[row, s];
                AddDistance(row, s, code, _loss.Reconstruction / count);
                for (int i = 0; i < _k; i++)
                {
                    for (int d = 0; d < _model.Width(s); d++)
                    {
                        double off = _z[row][_model.First(s) + d] - _model.Codeword(_state, s, code, d);
                        _upstream[row, s][i] -= 2 * _loss.Reconstruction / count * off * _model.Codeword(_state, s, i, d);
                    }
                }
            }
        }
    }

    private void AddPair(int anchor, int vertex, double alpha)
    {
        int row = _batch.Anchors.Count + vertex;
        for (int s = 0; s < _m; s++)
        {
            AddDistance(anchor, s, _codes[row, s], alpha);
            for (int i = 0; i < _k; i++)
            {
                _upstream[row, s][i] += alpha * _model.SquaredDistance(_state, _z[anchor], s, i);
            }
        }
    }

    private double Distance(int anchor, int vertex) => Enumerable.Range(0, _m).Sum(s =>
        _model.SquaredDistance(_state, _z[anchor], s, _codes[_batch.Anchors.Count + vertex, s]));

    private void Triplets()
    {
        foreach ((int anchor, int positive, int negative) in _batch.Triplets)
        {
            if (_loss.Margin + Distance(anchor, positive) - Distance(anchor, negative) > 0)
            {
                AddPair(anchor, positive, _loss.Neighbourhood / _batch.Triplets.Length);
                AddPair(anchor, negative, -_loss.Neighbourhood / _batch.Triplets.Length);
            }
        }
    }

    private void Routing()
    {
        RpqRecords records = _batch.Records;
        for (int i = 0; i < records.Count; i++)
        {
            int[] members = [.. Enumerable.Range(records.Starts[i], records.Starts[i + 1] - records.Starts[i])];
            double[] distances = [.. members.Select(c => Distance(records.Anchors[i], records.Candidates[c]))];
            double[] odds = [.. distances.Select(d => Math.Exp((distances.Min() - d) / _loss.RoutingTemperature))];
            double right = members.Select((c, j) => records.Acceptable[c] ? odds[j] : 0).Sum();
            double weight = _loss.Routing * records.Weights[i] / records.Weights.Sum(w => (double)w) / _loss.RoutingTemperature;
            for (int j = 0; j < members.Length; j++)
            {
                double rho = records.Acceptable[members[j]] ? odds[j] / right : 0;
                AddPair(records.Anchors[i], records.Candidates[members[j]], weight * (rho - odds[j] / odds.Sum()));
            }
        }
    }

    private void Assignments()
    {
        for (int row = 0; row < _z.Length; row++)
        {
            for (int s = 0; s < _m && _loss.StraightThrough && (row < _batch.Anchors.Count || _batch.Codes is null); s++)
            {
                double[] y = _model.Assignment(_state, row, _z[row], s);
                double[] u = _upstream[row, s];
                double mean = y.Zip(u, (a, b) => a * b).Sum();
                double temperature = Math.Exp(_state.LogTemperatures[s]);
                for (int i = 0; i < _k; i++)
                {
                    double gamma = y[i] * (u[i] - mean);
                    AddDistance(row, s, i, -gamma / temperature);
                    LogTemperatures[s] += gamma / temperature * _model.SquaredDistance(_state, _z[row], s, i);
                }
            }
        }
    }
}
