using Signpost.Engine.Base;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Tests.Storage;

/// <summary>The power goes at every single step of publishing; what the next process finds is the old file or the new one, or none.</summary>
public class CrashTests
{
    private static readonly byte[] Old = [.. Enumerable.Range(0, 3000).Select(i => (byte)i)];
    private static readonly byte[] New = [.. Enumerable.Range(0, 5000).Select(i => (byte)(i * 3))];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_file_is_published_whole_or_not_at_all(bool replacesOld)
    {
        int steps = Publish(Disk(replacesOld)).Steps;
        Assert.True(steps >= 5, "create, write, sync, rename, sync of the folder");
        for (int stop = 1; stop <= steps; stop++)
        {
            FaultyDisk disk = Disk(replacesOld);
            disk.StopAt = stop;
            Assert.Throws<IOException>(() => Publish(disk));
            foreach (Loss loss in FaultyDisk.Losses)
            {
                FaultyDisk next = disk.AfterCrash(loss);
                bool whole = next.Exists("f") ? next["f"].SequenceEqual(New) || (replacesOld && next["f"].SequenceEqual(Old)) : !replacesOld;
                Assert.True(whole, $"stopped at step {stop}, lost {loss}");
                AssertWorksAgain(next);
            }
        }
    }

    [Fact]
    public void What_was_published_survives_every_loss()
    {
        FaultyDisk disk = Publish(Disk(old: true));
        foreach (Loss loss in FaultyDisk.Losses)
        {
            Assert.Equal(New, disk.AfterCrash(loss)["f"]);
        }
    }

    [Fact]
    public void A_full_disk_leaves_the_old_file_and_no_litter()
    {
        int steps = Publish(Disk(old: true)).Steps;
        for (int fail = 1; fail < steps; fail++)
        {
            FaultyDisk disk = Disk(old: true);
            disk.FailAt = fail;
            Assert.Throws<IOException>(() => Publish(disk));
            Assert.Equal(Old, disk["f"]);
            Assert.Equal(["f"], disk.List("."));
            Assert.Equal(0, disk.OpenHandles);
            Assert.Equal(New, Publish(disk)["f"]);
        }
    }

    [Fact]
    public void Litter_is_removed_and_nothing_else()
    {
        var disk = new FaultyDisk { ["f"] = Old, ["f.1-1.tmp"] = New, ["tmp"] = New, ["other/f.1-2.tmp"] = New };
        Assert.Equal(1, AtomicFile.RemoveLitter(disk, "."));
        Assert.Equal(["f", "tmp"], disk.List("."));
        Assert.True(disk.Exists("other/f.1-2.tmp"));
    }

    [Fact]
    public void A_segment_is_whole_or_absent_after_a_crash_at_any_step()
    {
        using var sample = new SegmentSample(count: 200, dim: 33);
        var healthy = new FaultyDisk();
        SegmentWriter.Write(healthy, "s", sample.Content, Work.Quiet);
        for (int stop = 1; stop <= healthy.Steps; stop++)
        {
            var disk = new FaultyDisk { StopAt = stop };
            Assert.Throws<IOException>(() => SegmentWriter.Write(disk, "s", sample.Content, Work.Quiet));
            foreach (Loss loss in FaultyDisk.Losses)
            {
                FaultyDisk next = disk.AfterCrash(loss);
                Outcome<Segment> opened = Segment.Open(next, "s", new SegmentLoad(), Work.Quiet);
                Assert.Equal(next.Exists("s") ? null : ProblemCode.NotFound, opened.Problem?.Code);
                opened.Value?.Dispose();
                SegmentWriter.Write(next, "s", sample.Content, Work.Quiet);
                Assert.Equal(healthy["s"], next["s"]);
            }
        }
    }

    [Fact]
    public void An_unpublished_segment_is_never_taken_for_a_valid_one()
    {
        using var sample = new SegmentSample();
        var healthy = new FaultyDisk();
        SegmentWriter.Write(healthy, "s", sample.Content, Work.Quiet);
        int syncOfFile = healthy.Steps - 2;
        for (int stop = 2; stop < syncOfFile; stop++)
        {
            var disk = new FaultyDisk { StopAt = stop };
            Assert.Throws<IOException>(() => SegmentWriter.Write(disk, "s", sample.Content, Work.Quiet));
            FaultyDisk next = disk.AfterCrash(Loss.Nothing);
            string litter = Assert.Single(next.List("."));
            Assert.EndsWith(AtomicFile.TemporarySuffix, litter);
            Assert.Throws<BadFileException>(() => Segment.Open(next, litter, new SegmentLoad(), Work.Quiet));
        }
    }

    [Fact]
    public void A_cancelled_write_leaves_no_file()
    {
        using var sample = new SegmentSample();
        var disk = new FaultyDisk();
        var work = new Work(1, null, new CancellationToken(canceled: true));
        Assert.Throws<OperationCanceledException>(() => SegmentWriter.Write(disk, "s", sample.Content, work));
        Assert.Empty(disk.List("."));
        Assert.Equal(0, disk.OpenHandles);
    }

    private static FaultyDisk Disk(bool old) => old ? new FaultyDisk { ["f"] = Old } : new FaultyDisk();

    private static FaultyDisk Publish(FaultyDisk disk)
    {
        AtomicFile.Write(disk, "f", New.Length, file =>
        {
            file.Write(1000, New.AsSpan(1000));
            file.Write(0, New.AsSpan(0, 1000));
        });
        return disk;
    }

    private static void AssertWorksAgain(FaultyDisk disk)
    {
        AtomicFile.RemoveLitter(disk, ".");
        Assert.Equal(New, Publish(disk)["f"]);
        Assert.Equal(["f"], disk.List("."));
    }
}
