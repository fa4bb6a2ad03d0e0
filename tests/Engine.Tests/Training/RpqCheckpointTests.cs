using Signpost.Engine.Base;
using Signpost.Engine.Training;

namespace Signpost.Engine.Tests.Training;

public class RpqCheckpointTests
{
    [Theory]
    [InlineData(RotationMap.Rebased, 0.3, 0)]
    [InlineData(RotationMap.Exponential, 1, 0)]
    [InlineData(RotationMap.Rebased, 0, 20)]
    public void A_training_that_is_stopped_anywhere_and_goes_on_ends_bit_for_bit_as_one_that_was_not(RotationMap map, double rate, int rotatedDim)
    {
        using var shards = new LocalShards(500, 300);
        RpqOptions options = RpqRuns.Tiny with { Rotation = map, RotationRate = rate, RotatedDim = rotatedDim, Loss = RpqRuns.Tiny.Loss with { AnchorNoise = 1 } };
        var quiet = new CountingProgress(int.MaxValue, null);
        (string Quantizer, RpqSummary Summary) whole = Run(shards, options, new MemoryCheckpoint(), quiet);
        var random = new Seeded(5, (ulong)map);
        var resumedAt = new HashSet<long?>();
        for (int attempt = 0; attempt < 4; attempt++)
        {
            var checkpoint = new MemoryCheckpoint();
            for (int stops = 0; stops < 2; stops++)
            {
                using var stop = new CancellationTokenSource();
                var stopping = new CountingProgress(1 + random.Next(quiet.Reports), stop);
                try
                {
                    Run(shards, options, checkpoint, stopping, stop.Token);
                }
                catch (OperationCanceledException)
                {
                }
            }

            (string quantizer, RpqSummary summary) = Run(shards, options, checkpoint, quiet);

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
        LocalShards shards, RpqOptions options, MemoryCheckpoint checkpoint, CountingProgress progress, CancellationToken stop = default)
    {
        (var quantizer, RpqSummary summary) = RpqRuns.Train(shards, options, checkpoint, new Work(2, progress, stop));
        return (RpqRuns.Bytes(quantizer), summary);
    }

    private static byte[] Flipped(byte[] bytes, int at)
    {
        byte[] copy = [.. bytes];
        copy[at] ^= 4;
        return copy;
    }

    /// <summary>Stops the work after so many reports.</summary>
    private sealed class CountingProgress(int most, CancellationTokenSource? stop) : IProgress<PhaseProgress>
    {
        private int _reports;

        public int Reports => _reports;

        public void Report(PhaseProgress value)
        {
            if (Interlocked.Increment(ref _reports) == most)
            {
                stop!.Cancel();
            }
        }
    }
}
