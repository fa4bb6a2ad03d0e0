using Signpost.Engine.Base;
using Signpost.Engine.Kernels;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Training;

public class RpqTrainerTests
{
    [Fact]
    public void With_the_routing_loss_held_out_recall_and_agreement_rise_though_the_error_does_too()
    {
        using var shards = new LocalShards(3000);
        RpqOptions options = RpqRuns.Small with
        {
            Refinement = null,
            Sampling = RpqRuns.Small.Sampling with { HeldOut = 800 }, // so that what is won is more than chance
        };

        (RoutingProductQuantizer start, _) = RpqRuns.Train(shards, options with { Steps = 0 });
        (RoutingProductQuantizer end, RpqSummary summary) = RpqRuns.Train(shards, options);

        Assert.True(summary.End.Recall > summary.Start.Recall + 0.015, $"{summary}");
        Assert.True(summary.End.Agreement > summary.Start.Agreement + 0.02, $"{summary}");
        Assert.True(summary.BestStep > 0 && summary.Steps == options.Steps && summary.SkippedSteps == 0, $"{summary}");
        Assert.True(Error(end, shards) > Error(start, shards)); // what is won is not won by less error
    }

    [Fact]
    public void Without_neighbourhood_and_routing_loss_the_held_out_error_does_not_rise()
    {
        using var shards = new LocalShards(3000);
        RpqOptions options = RpqRuns.Small with
        {
            Refinement = null,
            Loss = RpqRuns.Small.Loss with { Neighbourhood = 0, Routing = 0 },
            LearningRate = RpqRuns.Small.LearningRate with { Peak = 1e-4 },
            TrainingVectors = 512, // the start has not seen most of the vectors
            Patience = 1000,
        };
        (RoutingProductQuantizer start, _) = RpqRuns.Train(shards, options with { Steps = 0 });
        var last = new MemoryCheckpoint();
        RpqRuns.Train(shards, options, last);

        double end = Error(RpqRuns.Last(last, options), shards);

        Assert.True(end <= Error(start, shards), $"{Error(start, shards)} -> {end}");
    }

    [Fact]
    public void A_training_that_makes_everything_worse_returns_its_start()
    {
        using var shards = new LocalShards(1000);
        RpqOptions harmful = RpqRuns.Small with
        {
            LearningRate = new LearningRate { Peak = 1, Floor = 1, WarmUpSteps = 1 },
            Steps = 60,
            StepsPerRefresh = 10,
            Patience = 2,
        };

        (RoutingProductQuantizer start, RpqSummary before) = RpqRuns.Train(shards, harmful with { Steps = 0 });
        (RoutingProductQuantizer end, RpqSummary summary) = RpqRuns.Train(shards, harmful);

        Assert.Equal((before.End, before.End, 0L), (summary.Start, summary.End, summary.BestStep));
        Assert.Equal(20, summary.Steps); // two looks without a better score
        Assert.Equal(RpqRuns.Bytes(start), RpqRuns.Bytes(end));
    }

    [Theory]
    [InlineData(RotationMap.Rebased, false)]
    [InlineData(RotationMap.Exponential, true)]
    public void Equal_seeds_give_equal_quantizers_on_any_number_of_threads(RotationMap map, bool fixedCodes)
    {
        using var shards = new LocalShards(700, 500);
        RpqOptions options = RpqRuns.Tiny with { Rotation = map, FixedCodes = fixedCodes, Start = RpqStart.Better, RotatedDim = 20 };

        string[] results = [.. new[] { 1, 2, 3 }.Select(threads => RpqRuns.Bytes(RpqRuns.Train(shards, options, work: new Work(threads)).Quantizer))];
        string other = RpqRuns.Bytes(RpqRuns.Train(shards, options with { Seed = 2 }).Quantizer);

        Assert.Equal(results[0], results[1]);
        Assert.Equal(results[0], results[2]);
        Assert.NotEqual(results[0], other);
    }

    [Fact]
    public void Every_shard_gives_queries_in_proportion_and_counts_as_much()
    {
        using var shards = new LocalShards(900, 300);
        RpqRuns.Train(shards, RpqRuns.Tiny with { Steps = 0 });

        Assert.All(
            shards.Requests.Chunk(2),
            look => Assert.Equal([(96, 45), (32, 15)], look.Select(request => (request.TrainingQueries, request.HeldOutQueries))));
        var parts = new[] { (3.0, new RoutingScore(0.5, 0.1)), (1.0, new RoutingScore(0.1, 0.5)), (0.0, new RoutingScore(double.NaN, 1)), (2.0, new RoutingScore(double.NaN, 0)) };
        Assert.Equal(new RoutingScore(0.4, 0.2), RoutingScore.Mean(parts));
    }

    [Fact]
    public void The_better_start_is_the_one_with_the_better_score()
    {
        using var shards = new LocalShards(1500);
        RpqOptions options = RpqRuns.Small with { Steps = 0 };

        RoutingScore[] scores = [.. new[] { RpqStart.Opq, RpqStart.Pq, RpqStart.Better }.Select(start => RpqRuns.Train(shards, options with { Start = start }).Summary.End)];

        Assert.NotEqual(scores[0], scores[1]);
        Assert.Equal(scores[0].CompareTo(scores[1]) > 0 ? scores[0] : scores[1], scores[2]);
    }

    [Theory]
    [InlineData(2, false)]
    [InlineData(24, true)]
    public void Codes_are_refined_less_or_not_at_all_as_long_as_that_finds_more_for_held_out_queries(int m, bool isRefined)
    {
        using var shards = new LocalShards(1500);
        RpqOptions options = RpqRuns.Small with { M = m, Steps = 0 };
        var looks = new RoutingRounds(shards, options);

        (RoutingProductQuantizer quantizer, RpqSummary summary) = RpqRuns.Train(shards, options);

        Refinement?[] weaker = [options.Refinement, options.Refinement! with { Isotropy = 0.6f }, null];
        RoutingScore[] scores =
        [
            .. weaker.Select(refinement => looks.LookAsync(new RoutingProductQuantizer(quantizer.Parameters, refinement), 0, false, new Work(2)).AsTask().Result.Score),
        ];
        int best = 0;
        while (best < 2 && scores[best + 1].CompareTo(scores[best]) > 0)
        {
            best++;
        }

        Assert.Equal((weaker[best], scores[best]), (quantizer.Refinement, summary.End));
        Assert.Equal(isRefined, quantizer.Refinement is not null);
        Assert.Equal(LocalShards.Dim, quantizer.Parameters.RotatedDim); // all directions, where nothing is refined; 24 of 24 subspaces anyway
    }

    [Fact]
    public void The_profile_of_the_authors_runs_and_learns_from_its_poor_start()
    {
        using var shards = new LocalShards(1200);
        RpqOptions small = RpqRuns.Tiny;
        RpqOptions faithful = RpqOptions.Faithful with
        {
            M = small.M,
            K = small.K,
            TrainingVectors = small.TrainingVectors,
            Sampling = small.Sampling with { Candidates = CandidateSet.Visited, HopsPerQuery = 50, CandidatesPerHop = 40 },
            ScoreL = small.ScoreL,
            BatchQueries = 16,
            Steps = 30,
            StepsPerRefresh = 15,
        };

        (RoutingProductQuantizer quantizer, RpqSummary summary) = RpqRuns.Train(shards, faithful);

        Assert.Null(quantizer.Refinement);
        Assert.Equal(30, summary.Steps);
        Assert.True(summary.End.CompareTo(summary.Start) >= 0);
        Assert.InRange(Rotations.Skewness(quantizer.Parameters.Rotation, LocalShards.Dim, Work.Quiet), 0, 1e-5);
    }

    [Fact]
    public void Fewer_directions_are_the_ones_with_the_largest_moments_and_cosine_looks_at_directions_alone()
    {
        using var shards = new LocalShards(Metric.Cosine, 1500);

        (RoutingProductQuantizer quantizer, RpqSummary summary) =
            RpqRuns.Train(shards, RpqRuns.Small with { RotatedDim = 12, Steps = 50 }, metric: Metric.Cosine);

        Assert.Equal((12, Metric.Cosine, 7u), (quantizer.Parameters.RotatedDim, quantizer.Metric, quantizer.Version));
        Assert.True(summary.End.Recall > 0.2, $"{summary}");
        Assert.InRange(Rotations.Skewness(quantizer.Parameters.Rotation, LocalShards.Dim, Work.Quiet), 0, 1e-4);
    }

    [Fact]
    public void Progress_tells_losses_and_held_out_scores()
    {
        using var shards = new LocalShards(700);
        var seen = new List<PhaseProgress>();

        RpqRuns.Train(shards, RpqRuns.Tiny, work: new Work(1, new Recorder(seen)));

        PhaseProgress last = seen.Last(progress => progress.Phase == "learn RPQ");
        Assert.Equal((RpqRuns.Tiny.Steps, RpqRuns.Tiny.Steps), (last.Done, last.Total));
        Assert.Matches(@"^loss \d+\.\d+ \(.*\), held-out 0\.\d+ / 0\.\d+ \(from 0\.\d+ / 0\.\d+\), T \d\.\de", last.Detail);
        Assert.Contains(seen, progress => progress.Phase == "encoding");
    }

    [Fact]
    public void Too_few_vectors_leave_the_start_and_say_so()
    {
        using var shards = new LocalShards(40);
        RpqOptions options = RpqRuns.Tiny with { Sampling = RpqRuns.Tiny.Sampling with { Queries = 1, HeldOut = 400 } };

        (_, RpqSummary summary) = RpqRuns.Train(shards, options);

        Assert.Equal(0, summary.Steps);
        Assert.Contains("Too few vectors", summary.Notice);
    }

    [Fact]
    public void Two_vectors_teach_nothing()
    {
        using var shards = new LocalShards(2);

        (RoutingProductQuantizer quantizer, RpqSummary summary) = RpqRuns.Train(shards, RpqRuns.Tiny);

        Assert.Equal(0, summary.Steps);
        Assert.Contains("Too few vectors", summary.Notice);
        Assert.Equal(QuantizerKind.Rpq, QuantizerFile.Parse(QuantizerFile.Serialize(quantizer), "").Kind);
    }

    [Fact]
    public void Inner_product_and_settings_out_of_range_are_refused()
    {
        using var shards = new LocalShards(300);
        ProblemCode CodeOf(RpqOptions options, Metric metric = Metric.L2) =>
            Assert.Throws<ProblemException>(() => RpqRuns.Train(shards, options, metric: metric)).Problem.Code;

        Assert.Equal(ProblemCode.NotSupported, CodeOf(RpqRuns.Tiny, Metric.InnerProduct));
        Assert.Equal(ProblemCode.InvalidArgument, CodeOf(RpqRuns.Tiny with { M = 25 }));
        Assert.Empty(RpqOptions.Best.Validate(128).Concat(RpqOptions.Faithful.Validate(128)));
        RpqOptions[] wrong =
        [
            RpqRuns.Tiny with { M = 0 },
            RpqRuns.Tiny with { K = 17 },
            RpqRuns.Tiny with { RotatedDim = 25 },
            RpqRuns.Tiny with { RotatedDim = 3 },
            RpqRuns.Tiny with { TargetEntropy = 3 },
            RpqRuns.Tiny with { ClipNorm = double.NaN },
            RpqRuns.Tiny with { BatchQueries = 0 },
            RpqRuns.Tiny with { Patience = 0 },
            RpqRuns.Tiny with { Refinement = new Refinement(0) },
            RpqRuns.Tiny with { Loss = RpqRuns.Tiny.Loss with { RoutingTemperature = 0 } },
            RpqRuns.Tiny with { LearningRate = RpqRuns.Tiny.LearningRate with { Floor = 1 } },
            RpqRuns.Tiny with { Sampling = RpqRuns.Tiny.Sampling with { HeldOut = 0 } },
            RpqRuns.Tiny with { Sampling = RpqRuns.Tiny.Sampling with { L = 1, Top = 1, Negatives = 1 } },
        ];
        Assert.All(wrong, options => Assert.Single(options.Validate(LocalShards.Dim)));
        Assert.Empty(shards.Requests);
    }

    /// <summary>Mean squared error of nearest codewords over all vectors.</summary>
    private static double Error(RoutingProductQuantizer quantizer, LocalShards shards) =>
        QuantizerError.MeanSquared(quantizer.Parameters, shards.Views[0].Vectors, Work.Quiet);

    private sealed class Recorder(List<PhaseProgress> seen) : IProgress<PhaseProgress>
    {
        public void Report(PhaseProgress value)
        {
            lock (seen)
            {
                seen.Add(value);
            }
        }
    }
}
