using Signpost.Engine.Base;
using Signpost.Engine.Training;

namespace Signpost.Engine.Tests.Training;

/// <summary>
/// Two proofs in a row: finite differences of the loss as defined give the closed forms in double precision, term by term, and these
/// give what <see cref="RpqModel"/> computes in float.
/// </summary>
public sealed class RpqGradientTests
{
    private const int Dim = 7;
    private const int M = 3; // widths 3, 2, 2
    private const int K = 16;

    private static readonly RpqLoss None = new() { Reconstruction = 0, Neighbourhood = 0, Routing = 0, RoutingTemperature = 0.7 };

    /// <summary>Every term alone, and what its samples can be.</summary>
    public static TheoryData<string> Terms => [.. Cases.Keys];

    private static Dictionary<string, (RpqLoss Loss, Func<RpqBatch> Batch)> Cases { get; } = new()
    {
        ["reconstruction of anchors"] = (None with { Reconstruction = 1, AnchorNoise = 0 }, () => Batch()),
        ["reconstruction of anchors with noise"] = (None with { Reconstruction = 1.5 }, () => Batch()),
        ["reconstruction of vertices"] =
            (None with { Reconstruction = 1, ReconstructionOf = ReconstructionOf.Vertices }, () => Batch()),
        ["active triplet"] = (None with { Neighbourhood = 0.3, Margin = 50 }, () => Batch([new(0, 1, 2)])),
        ["inactive triplet"] = (None with { Neighbourhood = 1, Margin = -50 }, () => Batch([new(0, 1, 2)])),
        ["triplet of one vertex"] = (None with { Neighbourhood = 1, Margin = 0.1 }, () => Batch([new(0, 1, 1)])),
        ["triplets that share vertices"] =
            (None with { Neighbourhood = 1, Margin = 50 }, () => Batch([new(0, 1, 2), new(1, 2, 1), new(2, 1, 3)])),
        ["routing, one of three"] = (None with { Routing = 1 }, () => Batch(records: RpqSample.Record([3, 1, 4], 1))),
        ["routing, two of three"] = (None with { Routing = 2 }, () => Batch(records: RpqSample.Record([3, 1, 4], 2))),
        ["routing, all acceptable"] = (None with { Routing = 1 }, () => Batch(records: RpqSample.Record([3, 1, 4], 3))),
        ["routing, a single candidate"] = (None with { Routing = 1 }, () => Batch(records: RpqSample.Record([2], 1))),
        ["routing, a vertex twice"] = (None with { Routing = 1 }, () => Batch(records: RpqSample.Record([3, 1, 3], 1))),
        ["everything"] = (new RpqLoss { RoutingTemperature = 0.7, Margin = 1 }, () => RpqSample.Batch(Dim, 4, 9, 6, 12)),
        ["everything of vertices"] = (
            new RpqLoss { RoutingTemperature = 0.7, Margin = 1, ReconstructionOf = ReconstructionOf.Vertices },
            () => RpqSample.Batch(Dim, 4, 9, 6, 12)),
        ["without straight-through"] = (
            new RpqLoss { RoutingTemperature = 0.7, Margin = 1, StraightThrough = false }, () => RpqSample.Batch(Dim, 4, 9, 6, 12)),
        ["given codes"] = (
            new RpqLoss { RoutingTemperature = 0.7, Margin = 1 },
            () => RpqSample.Batch(Dim, 4, 9, 6, 12, codes: [.. Enumerable.Range(0, 9 * M).Select(i => (byte)(i * 5 % K))])),
    };

    [Theory]
    [MemberData(nameof(Terms))]
    public void Closed_forms_are_what_finite_differences_of_the_loss_give(string term)
    {
        (RpqLoss loss, Func<RpqBatch> make) = Cases[term];
        RpqBatch batch = make();
        DenseRpq.State state = DenseRpq.State.Of(RpqSample.Parameters(Dim, M, K));

        (double[] codewords, double[] rotation, double[] temperatures) = new DenseRpq(Dim, M, K, batch, loss).Differences(state);
        var closed = new DenseRpqGradient(Dim, M, K, batch, loss, state);

        Near(codewords, closed.Codewords, 1e-6);
        Near(rotation, DenseRpqGradient.Skew(state.Rotation, closed.Rotation, Dim), 1e-6);
        Near(temperatures, closed.LogTemperatures, 1e-6);
        bool flat = term is "inactive triplet" or "triplet of one vertex" or "routing, all acceptable" or "routing, a single candidate";
        Assert.Equal(flat, codewords.Concat(rotation).All(slope => Math.Abs(slope) < 1e-9));
    }

    [Theory]
    [MemberData(nameof(Terms))]
    public void The_model_computes_the_closed_forms(string term)
    {
        (RpqLoss loss, Func<RpqBatch> make) = Cases[term];
        Compare(RpqSample.Parameters(Dim, M, K), make(), loss with { SparseThreshold = double.PositiveInfinity }, 1e-4);
    }

    [Theory]
    [InlineData(8, 4, 16, false, 0.5)]
    [InlineData(33, 2, 16, true, 2)] // wider than two vectors, with a remainder
    [InlineData(37, 5, 256, false, 0.3)]
    [InlineData(23, 23, 256, true, 0.01)] // one component each, sharp assignments
    [InlineData(21, 1, 256, false, 5)]
    public void The_model_computes_the_closed_forms_in_any_shape(int dim, int m, int k, bool vertices, double temperature)
    {
        RpqBatch batch = RpqSample.Batch(dim, 6, 40, 12, 20);
        ReconstructionOf of = vertices ? ReconstructionOf.Vertices : ReconstructionOf.Anchors;
        var loss = new RpqLoss { RoutingTemperature = 3, Margin = 2, Neighbourhood = 0.5, ReconstructionOf = of };
        RpqParameters parameters = RpqSample.Parameters(dim, m, k, temperature);
        Compare(parameters, batch, loss with { SparseThreshold = double.PositiveInfinity }, 2e-4);
        Compare(parameters, batch, loss, 2e-4); // what the threshold leaves out does not show
    }

    private static RpqBatch Batch(RpqTriplet[]? triplets = null, RpqRecords? records = null) => new()
    {
        Anchors = RpqSample.Rows(3, Dim, 11),
        Vertices = RpqSample.Rows(5, Dim, 12),
        Triplets = triplets ?? [],
        Records = records ?? RpqRecords.None,
        Step = 2,
    };

    private static void Compare(RpqParameters parameters, RpqBatch batch, RpqLoss loss, double tolerance)
    {
        (int dim, int m, int k) = (parameters.Dim, parameters.M, parameters.K);
        DenseRpq.State state = DenseRpq.State.Of(parameters);
        var dense = new DenseRpq(dim, m, k, batch, loss);
        DenseRpq.Result want = dense.Losses(state, dense.Freeze(state));
        var gradient = new DenseRpqGradient(dim, m, k, batch, loss, state);
        using var model = new RpqModel(dim, m, k);

        RpqStep got = model.Step(parameters, batch, loss, new Work(2));

        Assert.Equal(want.Reconstruction, got.Reconstruction, 1e-5 * (1 + want.Reconstruction));
        Assert.Equal(want.Neighbourhood, got.Neighbourhood, 1e-5 * (1 + want.Neighbourhood));
        Assert.Equal(want.Routing, got.Routing, 1e-5 * (1 + want.Routing));
        Assert.Equal(want.Total(loss), got.Total, 1e-5 * (1 + want.Total(loss)));
        Near(gradient.Codewords, [.. got.Codewords], tolerance);
        Near(gradient.Rotation, [.. got.Rotation], tolerance);
        Near(gradient.LogTemperatures, [.. got.LogTemperatures], tolerance);
    }

    // Relative to the largest entry of the gradient, and absolute below 1.
    private static void Near(double[] want, double[] got, double tolerance)
    {
        double scale = Math.Max(1, want.Max(Math.Abs));
        Assert.Equal(want.Length, got.Length);
        Assert.All(want.Zip(got), pair => Assert.Equal(pair.First, pair.Second, tolerance * scale));
    }
}
