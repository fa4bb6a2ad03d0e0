using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Tests.Quantizers;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Training;

public sealed unsafe class RpqModelTests
{
    private const int Dim = 21;
    private const int M = 5;

    [Theory]
    [InlineData(16)]
    [InlineData(256)]
    public void Any_number_of_threads_computes_the_same_bit_by_bit(int k)
    {
        RpqParameters parameters = RpqSample.Parameters(Dim, M, k);
        RpqBatch batch = RpqSample.Batch(Dim, 20, 1300, 30, 500);
        var results = new List<float[]>();
        foreach (int threads in new[] { 1, 2, 3 })
        {
            using var model = new RpqModel(Dim, M, k);
            RpqStep step = model.Step(parameters, batch, new RpqLoss(), new Work(threads));
            results.Add(Everything(step));
        }

        Assert.Equal(results[0], results[1]);
        Assert.Equal(results[0], results[2]);
    }

    [Fact]
    public void A_batch_gives_the_same_after_other_batches_of_other_sizes()
    {
        RpqParameters parameters = RpqSample.Parameters(Dim, M, 16);
        RpqBatch batch = RpqSample.Batch(Dim, 5, 50, 6, 20);
        using var fresh = new RpqModel(Dim, M, 16);
        using var used = new RpqModel(Dim, M, 16);
        foreach (int size in new[] { 9, 300, 2 })
        {
            used.Step(parameters, RpqSample.Batch(Dim, size, size, size, size, seed: 3), new RpqLoss(), Work.Quiet);
        }

        Assert.Equal(
            Everything(fresh.Step(parameters, batch, new RpqLoss(), Work.Quiet)),
            Everything(used.Step(parameters, batch, new RpqLoss(), Work.Quiet)));
    }

    [Theory]
    [InlineData(16)]
    [InlineData(256)]
    public void Code_distances_are_those_of_the_quantizer_and_of_what_it_decodes(int k)
    {
        RpqParameters parameters = RpqSample.Parameters(Dim, M, k);
        RpqBatch batch = RpqSample.Batch(Dim, 4, 30, 5, 10);
        using var model = new RpqModel(Dim, M, k);
        model.Losses(parameters, batch, new RpqLoss(), Work.Quiet);
        ProductQuantizer quantizer = parameters.ToQuantizer(QuantizerKind.Rpq, Metric.L2, 3);
        Assert.Equal((QuantizerKind.Rpq, 3u), (quantizer.Kind, quantizer.Version));
        var code = new byte[quantizer.CodeBytes];
        var decoded = new float[Dim];
        var table = new float[M * k];
        for (int pair = 0; pair < model.Pairs.Count; pair++)
        {
            float[] vertex = Row(batch.Vertices, model.Pairs.Vertices[pair]);
            float[] anchor = Row(batch.Anchors, model.Pairs.Anchors[pair]);
            fixed (byte* target = code)
            {
                quantizer.Encode(VectorBlock.Of(vertex, Dim), 0, 1, target);
            }

            quantizer.Decode(code, decoded);
            quantizer.BuildTable(anchor, table);
            double want = Enumerable.Range(0, M).Sum(m => (double)table[m * k + CodeNumbers.Read(code, m, k)]);
            Assert.Equal(want, model.Pairs.Distances[pair], 1e-4 * want);
            Assert.Equal(TestVectors.SquaredDistance(anchor, decoded), model.Pairs.Distances[pair], 1e-4 * want);
        }
    }

    [Fact]
    public void Temperatures_never_change_a_code_distance()
    {
        RpqBatch batch = RpqSample.Batch(Dim, 4, 30, 5, 10);
        using var model = new RpqModel(Dim, M, 256);
        model.Losses(RpqSample.Parameters(Dim, M, 256, 0.01), batch, new RpqLoss(), Work.Quiet);
        float[] cold = [.. model.Pairs.Distances];
        model.Losses(RpqSample.Parameters(Dim, M, 256, 100), batch, new RpqLoss(), Work.Quiet);

        Assert.Equal(cold, model.Pairs.Distances);
    }

    [Fact]
    public void Equal_codewords_share_what_they_learn_and_the_lower_is_the_code()
    {
        float[] codewords = new float[16]; // two codewords 16 times over, at -1 and 1
        for (int i = 0; i < 16; i++)
        {
            codewords[i] = i % 2 == 0 ? -1 : 1;
        }

        var parameters = new RpqParameters(1, 1, 16, codewords, [1f], [0f]);
        using var anchors = new FloatRows(1, 1);
        using var vertices = new FloatRows(1, 1);
        (anchors.First[0], vertices.First[0]) = (2f, 0f); // as far from all codewords
        var batch = new RpqBatch
        {
            Anchors = anchors,
            Vertices = vertices,
            Triplets = [new(0, 0, 0)],
            Records = RpqSample.Record([0], 1),
        };
        using var model = new RpqModel(1, 1, 16);
        RpqStep step = model.Step(
            parameters, batch, new RpqLoss { ReconstructionOf = ReconstructionOf.Vertices, Neighbourhood = 0, Routing = 0 }, Work.Quiet);

        Assert.Equal(9f, model.Pairs.Distances[0]); // codeword 0, at -1
        Assert.Equal(1, step.Reconstruction);
        Assert.Equal(step.Codewords[1], step.Codewords[15]);
        Assert.Equal(step.Codewords[2], step.Codewords[14]);
        Assert.NotEqual(step.Codewords[0], step.Codewords[2]); // the hard code's own share
        Assert.Equal(0f, step.LogTemperatures[0]);
    }

    [Fact]
    public void Noise_changes_with_the_step_and_the_seed_and_only_the_reconstruction()
    {
        RpqParameters parameters = RpqSample.Parameters(Dim, M, 16, 5);
        using var model = new RpqModel(Dim, M, 16);
        (double Reconstruction, double Routing) Run(long step, ulong seed, double noise)
        {
            RpqBatch source = RpqSample.Batch(Dim, 4, 30, 5, 10);
            var batch = new RpqBatch { Anchors = source.Anchors, Vertices = source.Vertices, Records = source.Records, Step = step };
            RpqStep result = model.Losses(parameters, batch, new RpqLoss { Seed = seed, AnchorNoise = noise }, Work.Quiet);
            return (result.Reconstruction, result.Routing);
        }

        Assert.Equal(Run(1, 1, 1), Run(1, 1, 1));
        Assert.NotEqual(Run(1, 1, 1).Reconstruction, Run(2, 1, 1).Reconstruction);
        Assert.NotEqual(Run(1, 1, 1).Reconstruction, Run(1, 2, 1).Reconstruction);
        Assert.Equal(Run(1, 1, 0), Run(2, 2, 0));
        Assert.True(Run(1, 1, 0).Reconstruction < Run(1, 1, 1).Reconstruction);
        Assert.Equal(Run(1, 1, 0).Routing, Run(2, 2, 1).Routing);
    }

    [Fact]
    public void Agreement_is_the_share_of_records_whose_nearest_candidate_is_acceptable()
    {
        RpqParameters parameters = RpqSample.Parameters(Dim, M, 16);
        RpqBatch batch = RpqSample.Batch(Dim, 10, 60, 0, 300);
        using var model = new RpqModel(Dim, M, 16);
        RpqStep step = model.Losses(parameters, batch, new RpqLoss(), Work.Quiet);

        RpqRecords records = batch.Records;
        int agreeing = Enumerable.Range(0, records.Count).Count(i =>
            records.Acceptable[Enumerable.Range(records.Starts[i], records.Starts[i + 1] - records.Starts[i])
                .MinBy(candidate => model.Pairs.Distances[model.Pairs.OfCandidates[candidate]])]);
        Assert.Equal(agreeing / 300.0, step.Agreement);
        Assert.InRange(step.Agreement, 0.4, 0.9);
    }

    [Fact]
    public void Training_on_routing_alone_teaches_routing()
    {
        const int Records = 60;
        RpqParameters parameters = RpqSample.Parameters(Dim, M, 16, 0.5);
        RpqBatch batch = RpqSample.Batch(Dim, 20, 200, 0, Records);
        var loss = new RpqLoss { Reconstruction = 0, Neighbourhood = 0, RoutingTemperature = 2 };
        using var model = new RpqModel(Dim, M, 16);
        var codewords = new Adam(parameters.Codewords.Length, new AdamOptions());
        var temperatures = new Adam(M, new AdamOptions());
        var rotation = new RotationStep(Dim, new AdamOptions());
        RpqStep step = model.Losses(parameters, batch, loss, Work.Quiet);
        (double before, double agreed) = (step.Routing, step.Agreement);
        for (int i = 0; i < 150; i++)
        {
            step = model.Step(parameters, batch, loss, Work.Quiet);
            codewords.Update(parameters.Codewords, step.Codewords, 1e-2);
            temperatures.Update(parameters.LogTemperatures, step.LogTemperatures, 1e-2);
            rotation.Step(parameters.Rotation, step.Rotation, 3e-3, Work.Quiet);
        }

        step = model.Losses(parameters, batch, loss, Work.Quiet);
        Assert.InRange(step.Routing, 0, before / 2);
        Assert.True(step.Agreement > agreed);
    }

    private static float[] Everything(RpqStep step) =>
    [
        .. step.Codewords, .. step.Rotation, .. step.LogTemperatures,
        (float)step.Reconstruction, (float)step.Neighbourhood, (float)step.Routing, (float)step.Total,
    ];

    private static float[] Row(FloatRows rows, int index) => new ReadOnlySpan<float>(rows.Row(index), rows.Dim).ToArray();
}
