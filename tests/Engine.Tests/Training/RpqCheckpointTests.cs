using Signpost.Engine.Base;
using Signpost.Engine.Training;

namespace Signpost.Engine.Tests.Training;

public class RpqCheckpointTests
{
    private const int InTrace = -1;

    [Theory]
    [InlineData(RotationMap.Rebased, 0.3, 0)]
    [InlineData(RotationMap.Exponential, 1, 0)]
    [InlineData(RotationMap.Rebased, 0, 20)]
    public void A_training_that_is_stopped_anywhere_and_goes_on_ends_bit_for_bit_as_one_that_was_not(RotationMap map, double rate, int rotatedDim)
    {
        using var shards = new LocalShards(500, 300);
        RpqOptions options = RpqRuns.Tiny with { Rotation = map, RotationRate = rate, RotatedDim = rotatedDim, Loss = RpqRuns.Tiny.Loss with { AnchorNoise = 1 } };
        (string Quantizer, RpqSummary Summary) whole = Run(shards, options, new MemoryCheckpoint());
        var resumedAt = new HashSet<long?>();
        foreach (int[] stops in (int[][])[[2], [2, 12], [12, 20], [20], [InTrace], [InTrace, 20]])
        {
            var checkpoint = new MemoryCheckpoint();
            foreach (int stop in stops)
            {
                Assert.ThrowsAny<OperationCanceledException>(() => Run(shards, options, checkpoint, stop));
            }

            (string quantizer, RpqSummary summary) = Run(shards, options, checkpoint);

            resumedAt.Add(summary.ResumedAt);
            Assert.Equal(whole.Quantizer, quantizer);
            Assert.Equal(
                (whole.Summary.Start, whole.Summary.End, whole.Summary.Steps, whole.Summary.BestStep),
                (summary.Start, summary.End, summary.Steps, summary.BestStep));
        }

        Assert.True(resumedAt.Count > 1, string.Join(", ", resumedAt)); // it was stopped at different places
    }

    [Fact]
    public void A_cut_flipped_or_foreign_checkpoint_is_not_used_and_the_training_begins_anew_and_says_so()
    {
        using var shards = new LocalShards(300);
        RpqOptions options = RpqRuns.Tiny with { Steps = 8 };
        var good = new MemoryCheckpoint();
        string expected = RpqRuns.Bytes(RpqRuns.Train(shards, options, good).Quantizer);
        byte[] bytes = good.Bytes!;
        byte[][] damaged =
        [
            [],
            bytes[..20],
            bytes[..^1],
            [.. bytes, 0],
            .. new[] { 0, 8, 12, 16, 24, 32, 40, bytes.Length / 2, bytes.Length - 1 }.Select(at => Flipped(bytes, at)),
        ];
        foreach (byte[] bad in damaged)
        {
            Assert.Throws<BadFileException>(() => RpqRuns.StateOf(new MemoryCheckpoint { Bytes = bad }, options));
        }

        foreach (byte[] bad in (byte[][])[damaged[1], damaged[^2]])
        {
            (var quantizer, RpqSummary summary) = RpqRuns.Train(shards, options, new MemoryCheckpoint { Bytes = bad });
            Assert.Equal((expected, null), (RpqRuns.Bytes(quantizer), summary.ResumedAt));
            Assert.Contains("checkpoint", summary.Notice);
        }
    }

    [Fact]
    public void A_checkpoint_of_other_settings_or_another_collection_is_not_used()
    {
        using var shards = new LocalShards(300);
        RpqOptions options = RpqRuns.Tiny with { Steps = 8 };
        var checkpoint = new MemoryCheckpoint();
        RpqRuns.Train(shards, options, checkpoint);
        byte[] bytes = checkpoint.Bytes!;
        MemoryCheckpoint Copy() => new() { Bytes = bytes };

        Assert.Equal(8, RpqRuns.Train(shards, options, Copy()).Summary.ResumedAt);
        Assert.Null(RpqRuns.Train(shards, options with { Seed = 2 }, Copy()).Summary.ResumedAt);
        Assert.Null(RpqRuns.Train(shards, options with { Loss = options.Loss with { Margin = 0.2 } }, Copy()).Summary.ResumedAt);
        Assert.Null(RpqRuns.Train(shards, options, Copy(), identity: "another").Summary.ResumedAt);
    }

    private static (string Quantizer, RpqSummary Summary) Run(
        LocalShards shards, RpqOptions options, MemoryCheckpoint checkpoint, int stopAfter = int.MaxValue)
    {
        using var stop = new CancellationTokenSource();
        (var quantizer, RpqSummary summary) = RpqRuns.Train(shards, options, checkpoint, new Work(2, new StopAt(stopAfter, stop), stop.Token));
        return (RpqRuns.Bytes(quantizer), summary);
    }

    private static byte[] Flipped(byte[] bytes, int at)
    {
        byte[] copy = [.. bytes];
        copy[at] ^= 4;
        return copy;
    }

    /// <summary>Stops the work once it has made so many steps, or in the middle of its second look at the shards.</summary>
    private sealed class StopAt(int steps, CancellationTokenSource stop) : IProgress<PhaseProgress>
    {
        private int _looks;

        public void Report(PhaseProgress value)
        {
            _looks += value.Phase == "shard 1/2: encoding" && value.Done == value.Total ? 1 : 0;
            if (steps == InTrace ? _looks == 2 : value.Phase == "learn RPQ" && value.Done >= steps)
            {
                stop.Cancel();
            }
        }
    }
}
