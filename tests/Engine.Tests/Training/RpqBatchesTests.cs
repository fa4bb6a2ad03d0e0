using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Training;

public unsafe class RpqBatchesTests
{
    private static readonly RpqOptions Options = RpqRuns.Tiny with { FixedCodes = true, RecordsPerQuery = 2, TripletsPerQuery = 3, BatchQueries = 40 };

    [Theory]
    [InlineData(RecordWeights.Equal, 1f)]
    [InlineData(RecordWeights.InverseSize, 0.25f)]
    [InlineData(RecordWeights.Margin, 0.8f)] // 2 of 2.5
    public void A_decision_weighs_what_its_candidates_say(RecordWeights weights, float expected) =>
        Assert.Equal(expected, BatchDraft.WeightOf([7f, 2f, 9f, 2.5f], weights), 1e-6f);

    [Fact]
    public void The_margin_of_a_tie_and_of_one_candidate_is_1()
    {
        Assert.Equal(1f, BatchDraft.WeightOf([3f, 3f], RecordWeights.Margin));
        Assert.Equal(1f, BatchDraft.WeightOf([0f, 0f], RecordWeights.Margin));
        Assert.Equal(1f, BatchDraft.WeightOf([3f], RecordWeights.Margin));
    }

    [Fact]
    public void A_batch_holds_of_different_queries_what_their_samples_say()
    {
        using var shards = new LocalShards(600, 300);
        RoutingRound round = Look(shards);
        var space = new RpqSpace(LocalShards.Dim, 0.25f, []);
        using var batches = new RpqBatches(round.Traces, space, Options, Work.Quiet);
        RoutingSample[] samples = [.. round.Traces.Select(trace => trace.Sample!)];

        RpqBatch batch = batches.Draw(3, Work.Quiet);
        using FloatRows anchors = batch.Anchors, vertices = batch.Vertices;

        Assert.Equal((128, 40), (batches.Queries, anchors.Count));
        string[] queries = [.. Enumerable.Range(0, anchors.Count).Select(i => Row(anchors, i))];
        string[] rows = [.. Enumerable.Range(0, vertices.Count).Select(i => Row(vertices, i))];
        Assert.Distinct(queries);
        Assert.Distinct(rows);
        var known = samples.SelectMany(sample => Decisions(sample)).ToHashSet();
        RpqRecords records = batch.Records;
        Assert.Equal(80, records.Count);
        Assert.Distinct(Enumerable.Range(0, records.Count).Select(Text));
        Assert.All(Enumerable.Range(0, records.Count), i => Assert.Contains(Text(i), known));
        Assert.All(records.Weights, weight => Assert.Equal(1f, weight));
        Assert.Equal(120, batch.Triplets.Length);
        Assert.All(batch.Triplets, triplet => Assert.NotEqual(triplet.Positive, triplet.Negative));
        Assert.Equal(Enumerable.Range(0, vertices.Count).SelectMany(i => CodeOf(round, rows[i])), batch.Codes!);

        string Text(int record) => queries[records.Anchors[record]] + string.Join(' ', Enumerable
            .Range(records.Starts[record], records.Starts[record + 1] - records.Starts[record])
            .Select(i => $"{rows[records.Candidates[i]]}{records.Acceptable[i]}"));
    }

    [Fact]
    public void A_batch_depends_on_its_step_and_the_seed_alone()
    {
        using var shards = new LocalShards(300);
        RoutingRound round = Look(shards);
        string First(ulong seed, params long[] steps)
        {
            using var batches = new RpqBatches(round.Traces, new RpqSpace(LocalShards.Dim, 1, []), Options with { Seed = seed }, new Work(2));
            string text = "";
            foreach (long step in steps)
            {
                RpqBatch batch = batches.Draw(step, Work.Quiet);
                using FloatRows anchors = batch.Anchors, vertices = batch.Vertices;
                text = string.Join(' ', Enumerable.Range(0, anchors.Count).Select(i => Row(anchors, i))) + string.Join(' ', batch.Records.Candidates);
            }

            return text;
        }

        Assert.Equal(First(1, 9), First(1, 0, 4, 9));
        Assert.NotEqual(First(1, 9), First(1, 8));
        Assert.NotEqual(First(1, 9), First(2, 9));
    }

    [Fact]
    public void Different_numbers_are_different_and_every_one_comes_as_often()
    {
        var seen = new int[10];
        for (ulong seed = 0; seed < 2000; seed++)
        {
            var random = new Seeded(seed, 1);
            int[] chosen = RpqBatches.Different(10, 4, ref random);
            Assert.Distinct(chosen);
            Array.ForEach(chosen, number => seen[number]++);
        }

        Assert.All(seen, times => Assert.InRange(times, 700, 900)); // 800, give or take 4.5 times the standard deviation
    }

    [Fact]
    public void Axes_are_orthonormal_and_leave_out_the_directions_without_length()
    {
        using var rows = new FloatRows(500, 6);
        var random = new Seeded(3, 3);
        float[] spread = [3, 0, 2, 0.01f, 1, 0];
        for (int i = 0; i < 500 * 6; i++)
        {
            rows.First[i] = spread[i % 6] * (float)random.NextGaussian();
        }

        float[] axes = PrincipalAxes.Of(rows, 3, 1, new Work(2));

        Assert.InRange(Rotations.Skewness(axes, 6, Work.Quiet), 0, 1e-5);
        Assert.All((int[])[1, 3, 5], left => Assert.All((int[])[0, 1, 2], axis => Assert.InRange(Math.Abs(axes[axis * 6 + left]), 0, 1e-2)));
    }

    [Fact]
    public void A_quantizer_of_the_space_decodes_what_the_parameters_of_the_space_do()
    {
        using var rows = new FloatRows(600, 10);
        var random = new Seeded(3, 3);
        for (int i = 0; i < 6000; i++)
        {
            rows.First[i] = 5 * (i % 10 < 7 ? 1 : 0.1f) * (float)random.NextGaussian();
        }

        RpqOptions options = RpqRuns.Tiny with { M = 3 };
        RpqSpace full = RpqSpace.Of(rows);
        using FloatRows all = full.Take(rows.First, rows.Count, Work.Quiet);
        (RpqSpace space, RpqParameters start) = CodewordAxes.Reduce(full, RpqStarts.Make(all, options, Work.Quiet)[0], 8, 0, Work.Quiet);
        using FloatRows taken = space.Take(rows.First, rows.Count, Work.Quiet);
        Assert.Equal((6, 6), (space.Width, start.Dim)); // two of each of three subspaces
        ProductQuantizer quantizer = space.ToQuantizer(start, Metric.L2, 1, null, Work.Quiet).Parameters;
        ProductQuantizer inSpace = start.ToQuantizer(QuantizerKind.Rpq, Metric.L2, 1);

        double length = Enumerable.Range(0, 600).Average(i => Math.Sqrt(Enumerable.Range(0, 10).Sum(d => rows.Row(i)[d] * rows.Row(i)[d])));
        Assert.Equal(1 / length, space.Scale, 1e-6);
        int equal = Enumerable.Range(0, 600).Count(i => Code(quantizer, rows, i).SequenceEqual(Code(inSpace, taken, i)));
        Assert.InRange(equal, 598, 600); // rounding may turn a tie
    }

    [Fact]
    public void Directions_in_which_codewords_do_not_differ_are_left_out_and_no_code_changes()
    {
        const int Dim = 24, Flat = 3; // of every subspace of 8 components, all but the first 3 are the same in all vectors
        using var rows = new FloatRows(600, Dim);
        var random = new Seeded(3, 3);
        for (int i = 0; i < 600 * Dim; i++)
        {
            rows.First[i] = i % 8 < Flat ? (float)random.NextGaussian() : 0.5f;
        }

        RpqSpace full = RpqSpace.Of(rows);
        using FloatRows all = full.Take(rows.First, rows.Count, Work.Quiet);
        RpqParameters start = RpqStarts.Make(all, RpqRuns.Tiny with { M = 3, Start = RpqStart.Pq }, Work.Quiet)[0];
        (RpqSpace space, RpqParameters reduced) = CodewordAxes.Reduce(full, start, 0, 0.9999, Work.Quiet);
        ProductQuantizer before = full.ToQuantizer(start, Metric.L2, 1, null, Work.Quiet).Parameters;
        ProductQuantizer after = space.ToQuantizer(reduced, Metric.L2, 1, null, Work.Quiet).Parameters;

        Assert.Equal(3 * Flat, after.RotatedDim);
        Assert.InRange(Rotations.Skewness(after.Rotation, Dim, Work.Quiet), 0, 1e-5);
        int equal = Enumerable.Range(0, 600).Count(i => Code(before, rows, i).SequenceEqual(Code(after, rows, i)));
        Assert.InRange(equal, 598, 600); // rounding may turn a tie
    }

    [Theory]
    [InlineData(0, 8)]
    [InlineData(2, 12)]
    [InlineData(4, 8)]
    public void Subspaces_in_which_codewords_differ_in_fewer_directions_than_are_kept_have_others_that_are_orthonormal_too(int live, int parts)
    {
        int dim = 3 * parts;
        using var rows = new FloatRows(600, dim);
        var random = new Seeded(3, 3);
        for (int i = 0; i < 600 * dim; i++)
        {
            int at = i % dim;
            rows.First[i] = at < parts && at >= live ? 0 : (float)random.NextGaussian(); // the first subspace, as the edge of pictures
        }

        RpqSpace full = RpqSpace.Of(rows);
        using FloatRows all = full.Take(rows.First, rows.Count, Work.Quiet);
        RpqParameters start = RpqStarts.Make(all, RpqRuns.Tiny with { M = 3, Start = RpqStart.Pq }, Work.Quiet)[0];
        (RpqSpace space, RpqParameters reduced) = CodewordAxes.Reduce(full, start, 3 * (parts / 2 + 1), 1, Work.Quiet);
        RoutingProductQuantizer quantizer = space.ToQuantizer(reduced, Metric.L2, 1, null, Work.Quiet);

        Assert.InRange(quantizer.Parameters.RotatedDim, 3, dim - 1);
        Assert.InRange(Rotations.Skewness(quantizer.Parameters.Rotation, dim, Work.Quiet), 0, 1e-5);
        Assert.Equal(quantizer.Parameters.RotatedDim, ((RoutingProductQuantizer)QuantizerFile.Parse(QuantizerFile.Serialize(quantizer), "")).Parameters.RotatedDim);
    }

    private static RoutingRound Look(LocalShards shards) => new RoutingRounds(shards, Options)
        .LookAsync(shards.Views[0].Quantizer!, 1, true, Work.Quiet).AsTask().GetAwaiter().GetResult();

    /// <summary>Every decision of a sample: its query, and its candidates with what is right, in the space of a quarter of the scale.</summary>
    private static IEnumerable<string> Decisions(RoutingSample sample) => Enumerable.Range(0, sample.RecordCount).Select(record =>
        Hex(sample.Queries, sample.RecordQueries[record]) + string.Join(' ', Enumerable
            .Range(sample.CandidateStarts[record], sample.CandidateStarts[record + 1] - sample.CandidateStarts[record])
            .Select(i => $"{Hex(sample.Vectors, sample.Candidates[i])}{sample.IsRight[i] == 1}")));

    private static IEnumerable<byte> CodeOf(RoutingRound round, string row)
    {
        ShardTrace trace = round.Traces.First(t => Enumerable.Range(0, t.Sample!.VertexCount).Any(v => Hex(t.Sample.Vectors, v) == row));
        int vertex = Enumerable.Range(0, trace.Sample!.VertexCount).First(v => Hex(trace.Sample.Vectors, v) == row);
        int codeBytes = trace.Codes.Length / trace.Sample.VertexCount;
        return Enumerable.Range(0, Options.M).Select(m => (byte)CodeNumbers.Read(trace.Codes.AsSpan(vertex * codeBytes, codeBytes), m, Options.K));
    }

    private static string Hex(float[] rows, int row) =>
        string.Join(',', rows.Skip(row * LocalShards.Dim).Take(LocalShards.Dim).Select(value => value * 0.25f));

    private static string Row(FloatRows rows, int row) => string.Join(',', new ReadOnlySpan<float>(rows.Row(row), rows.Dim).ToArray());

    private static byte[] Code(ProductQuantizer quantizer, FloatRows rows, int row)
    {
        var block = new VectorBlock((byte*)rows.First, rows.Count, rows.Dim, ElementType.Float32, sizeof(float) * (long)rows.Dim, null);
        var code = new byte[quantizer.CodeBytes];
        fixed (byte* target = code)
        {
            quantizer.Encode(block, row, 1, target);
        }

        return code;
    }
}
