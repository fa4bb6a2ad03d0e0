using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Tests.Quantizers;
using Signpost.Engine.Tests.Support;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Training;

public sealed class RoutingEvaluationTests
{
    private static readonly SamplingOptions Options = new() { Queries = 20, HeldOut = 40, L = 60, Top = 30 };

    [Fact]
    public void Recall_over_shards_is_the_share_of_the_true_ten_that_the_best_codes_of_all_shards_are()
    {
        using var first = new SmallCollection(800, seed: 5);
        using var second = new SmallCollection(400, seed: 5); // also in the first: copies, with the same distances
        SegmentView[] shards = [first.View, second.WithCodes(first.View.Quantizer!)];
        using QueryChoice choice = QueryChoice.OfCollection(shards, Options);
        RoutingEvaluation evaluation = RoutingEvaluation.Prepare(shards, choice.HeldOut, Options, new Work(2));
        Assert.Equal((40, 2), (evaluation.Queries, evaluation.Traces.Count));

        int found = 0;
        for (int home = 0; home < 2; home++)
        {
            for (int q = 0; q < choice.HeldOut[home].Count; q++)
            {
                found += DullRanking(shards, choice.HeldOut[home], q, home, exact: true)
                    .Intersect(DullRanking(shards, choice.HeldOut[home], q, home, exact: false)).Count();
            }
        }

        Assert.Equal(found / 400.0, evaluation.Recall(shards, 800, new Work(2)), 1e-9);
        Assert.Equal(evaluation.Recall(shards, 20, new Work(1)), evaluation.Recall(shards, 20, new Work(3)));
    }

    [Fact]
    public void Exact_distances_always_agree_and_reversed_ones_never()
    {
        using var collection = new SmallCollection();
        using QueryChoice choice = QueryChoice.OfCollection([collection.View], Options);
        RoutingSample trace = RoutingEvaluation.Prepare([collection.View], choice.HeldOut, Options, Work.Quiet).Traces[0];

        Assert.Equal(new NextHopAgreement(trace.RecordCount, 1, 1), NextHopAgreement.Judge([(trace, trace.Distances)]));
        NextHopAgreement reversed = NextHopAgreement.Judge([(trace, [.. trace.Distances.Select(d => -d)])]);
        Assert.InRange(reversed.Agreement, 0, 0.02); // where all are as near
        Assert.InRange(reversed.MeanRank, 10, 200);
        Assert.Equal(default, NextHopAgreement.Judge([]));
    }

    [Fact]
    public void Agreement_and_rank_are_those_counted_by_hand()
    {
        var sample = new RoutingSample
        {
            Dim = 1,
            Metric = Metric.L2,
            QuantizerVersion = 0,
            Queries = [0],
            Vertices = [1, 2, 3],
            Vectors = [1, 2, 3],
            RecordQueries = [0, 0, 0],
            RecordHops = [0, 1, 2],
            RecordLengths = [3, 3, 3],
            CandidateStarts = [0, 3, 5, 7],
            Candidates = [0, 1, 2, 2, 1, 0, 1],
            Distances = [5, 4, 6, 1, 1, 1, 2],
            IsRight = [0, 1, 0, 1, 1, 1, 0],
            PositiveStarts = [0, 0],
            Positives = [],
            NegativeStarts = [0, 0],
            Negatives = [],
        };

        // First: the true best is third. Second: two are as near, and one of them is first. Third: equal codes, the lower vertex is first.
        Assert.Equal(new NextHopAgreement(3, 2 / 3.0, 5 / 3.0), NextHopAgreement.Judge([(sample, [1, 9, 2, 4, 3, 7, 7])]));
    }

    [Fact]
    public void Agreement_of_a_quantizer_on_its_own_walks_is_that_of_the_walks_first_choice()
    {
        using var collection = new SmallCollection(type: ElementType.Float32);
        using QueryChoice choice = QueryChoice.OfCollection([collection.View], Options);
        RoutingSample sample = RoutingSampler.Sample(collection.View, choice.Training[0], Options with { CandidatesPerHop = 4096 }, Work.Quiet);
        double first = Enumerable.Range(0, sample.RecordCount).Average(r => sample.IsRight[sample.CandidateStarts[r]]);

        Assert.Equal(first, NextHopAgreement.Of([sample], collection.View.Quantizer!, new Work(2)).Agreement, 1e-9);
        Assert.Equal(first, NextHopAgreement.Of([sample], [collection.View], new Work(2)).Agreement, 1e-9);
    }

    [RealDataFact("siftsmall/siftsmall_base.fvecs")]
    public void Longer_codes_agree_more_often_and_find_more_on_siftsmall()
    {
        using VectorBlock vectors = VectorFile.Open(RealData.Path("siftsmall/siftsmall_base.fvecs"));
        using var collection = new SmallCollection(vectors, m: 8);
        SamplingOptions options = new() { HeldOut = 200 };
        using QueryChoice choice = QueryChoice.OfCollection([collection.View], options);
        RoutingEvaluation evaluation = RoutingEvaluation.Prepare([collection.View], choice.HeldOut, options, new Work(2));
        SegmentView longer = collection.WithCodes(collection.Train(32));

        NextHopAgreement m8 = evaluation.NextHop(collection.View.Quantizer!, new Work(2)), m32 = evaluation.NextHop(longer.Quantizer!, new Work(2));
        Assert.True(m32.Agreement > m8.Agreement + 0.05, $"{m32} against {m8}");
        Assert.True(m32.MeanRank < m8.MeanRank, $"{m32} against {m8}");
        Assert.Equal(1, NextHopAgreement.Judge([(evaluation.Traces[0], evaluation.Traces[0].Distances)]).Agreement);
        Assert.True(evaluation.Recall([longer], 100, new Work(2)) > evaluation.Recall([collection.View], 100, new Work(2)) + 0.1);
    }

    /// <summary>The ten nearest of all shards by looking at each vector, or at each code, in turn.</summary>
    private static (int Shard, uint Id)[] DullRanking(SegmentView[] shards, QuerySet queries, int index, int home, bool exact)
    {
        float[] query = TestVectors.Row(queries.Vectors, index);
        return [.. shards.SelectMany((view, shard) => Enumerable.Range(0, (int)view.Vectors.Count)
                .Where(id => shard != home || queries.Own[index] != id)
                .Select(id => ((float)TestVectors.SquaredDistance(query, Seen(view, id, exact)), shard, (uint)id)))
            .Order().Take(10).Select(near => (near.shard, near.Item3))];
    }

    private static unsafe float[] Seen(SegmentView view, int id, bool exact)
    {
        float[] row = TestVectors.Row(view.Vectors, id);
        if (!exact)
        {
            view.Quantizer!.Decode(new ReadOnlySpan<byte>(view.Codes + id * view.Quantizer.CodeBytes, view.Quantizer.CodeBytes), row);
        }

        return row;
    }
}
