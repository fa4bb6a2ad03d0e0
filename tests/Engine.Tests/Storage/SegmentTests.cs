using FsCheck;
using FsCheck.Fluent;
using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Storage;

public sealed unsafe class SegmentTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("signpost-segment-").FullName;

    public static TheoryData<ElementType, Residency> Kinds
    {
        get
        {
            var data = new TheoryData<ElementType, Residency>();
            foreach (ElementType type in Enum.GetValues<ElementType>())
            {
                data.Add(type, Residency.Mapped);
                data.Add(type, Residency.Loaded);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void What_is_written_to_a_file_is_read_from_it(ElementType type, Residency vectors)
    {
        using var sample = new SegmentSample(type: type);
        string path = Path.Combine(_folder, "a.seg");
        SegmentInfo written = SegmentWriter.Write(FileDisk.Instance, path, sample.Content, Work.Quiet);
        using Segment segment = Segment.Open(FileDisk.Instance, path, new SegmentLoad { Vectors = vectors }, Work.Quiet).OrThrow();
        Assert.Equal(written, segment.Info);
        AssertSame(sample, segment);
    }

    [Fact]
    public void Any_shape_comes_back_as_it_was() => Prop.ForAll(
        Gen.Choose(0, 60).ToArbitrary(), Gen.Choose(1, 70).ToArbitrary(), Gen.Choose(1, 40).ToArbitrary(), (count, dim, r) =>
        {
            using var sample = new SegmentSample(count, dim, ElementType.Int8, r, metadata: null);
            using Segment segment = SegmentSample.Open(sample.Bytes());
            AssertSame(sample, segment);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Equal_content_gives_equal_bytes()
    {
        using var one = new SegmentSample();
        using var two = new SegmentSample();
        using var other = new SegmentSample(seed: 2);
        Assert.Equal(one.Bytes(), two.Bytes());
        Assert.NotEqual(one.Bytes(), other.Bytes());
    }

    [Fact]
    public void Rows_are_written_in_the_order_given_and_without_gaps()
    {
        using var sample = new SegmentSample();
        long stride = sample.Vectors.RowBytes + 4;
        using var padded = new AlignedBuffer(stride * sample.Vectors.Count);
        long[] order = [.. Enumerable.Range(0, 23).Select(i => (long)(i * 7 % 23))];
        for (long i = 0; i < order.Length; i++)
        {
            sample.Vectors.RowSpan(i).CopyTo(new Span<byte>(padded.Pointer + (order[i] * stride), sample.Vectors.RowBytes));
        }

        var reordered = new SegmentContent
        {
            Vectors = new VectorBlock(padded.Pointer, order.Length, 5, ElementType.Float32, stride, null),
            Order = order,
            Ids = sample.Content.Ids,
            Metric = sample.Content.Metric,
            Graph = sample.Graph,
            SlotFrom = 4096,
            SlotTo = 8192,
            Build = sample.Content.Build,
            Metadata = sample.Content.Metadata,
        };
        var disk = new FaultyDisk();
        SegmentWriter.Write(disk, "s", reordered, Work.Quiet);
        Assert.Equal(sample.Bytes(), disk["s"]);
    }

    [Fact]
    public void A_row_that_is_not_there_is_never_written()
    {
        using var sample = new SegmentSample(count: 1);
        var disk = new FaultyDisk();
        var content = new SegmentContent
        {
            Vectors = sample.Vectors,
            Order = new long[] { 1 },
            Ids = sample.Content.Ids,
            Metric = Metric.L2,
            Graph = sample.Graph,
            SlotFrom = 0,
            SlotTo = 1,
            Build = sample.Content.Build,
        };
        Assert.Throws<CheckFailedException>(() => SegmentWriter.Write(disk, "s", content, Work.Quiet));
        Assert.Empty(disk.List("."));
    }

    [Fact]
    public void The_plan_is_what_opening_reads_into_memory()
    {
        using var sample = new SegmentSample(metadata: null);
        byte[] file = sample.Bytes();
        foreach (Residency vectors in Enum.GetValues<Residency>())
        {
            var disk = new FaultyDisk { ["s"] = file };
            SegmentMemory plan = Segment.Plan(disk, "s", vectors).OrThrow();
            long header = disk.BytesRead;
            using Segment segment = Segment.Open(disk, "s", new SegmentLoad { Vectors = vectors, VerifyVectors = false }, Work.Quiet).OrThrow();
            SectionEntry[] table = SegmentSample.Table(file);
            long gaps = file.Length - (192 + (32 * table.Length)) - (long)table.Aggregate(0ul, (sum, s) => sum + s.Length);
            Assert.Equal(plan.Resident, disk.BytesRead - (2 * header) - gaps);
            Assert.Equal(plan, segment.Memory);
            Assert.Equal(23 * 5 * 4, plan.VectorsLoaded + plan.VectorsMapped);
            Assert.Equal(vectors == Residency.Loaded ? plan.VectorsLoaded : plan.VectorsMapped, plan.VectorsLoaded + plan.VectorsMapped);
            Assert.Equal((double)plan.Resident / 23, plan.ResidentPerVector);
        }
    }

    [Fact]
    public void What_does_not_fit_is_refused_before_anything_is_loaded()
    {
        using var sample = new SegmentSample();
        var disk = new FaultyDisk { ["s"] = sample.Bytes() };
        SegmentMemory plan = Segment.Plan(disk, "s").OrThrow();
        long header = disk.BytesRead;
        Outcome<Segment> refused = Segment.Open(disk, "s", new SegmentLoad { MemoryLimit = plan.Resident - 1 }, Work.Quiet);
        Assert.Equal(ProblemCode.NotEnoughMemory, refused.Problem?.Code);
        Assert.Contains($"need {plan.Resident} bytes, have {plan.Resident - 1}", refused.Problem!.Got);
        Assert.Equal(2 * header, disk.BytesRead);
        Assert.Equal(0, disk.OpenHandles);
        Segment.Open(disk, "s", new SegmentLoad { MemoryLimit = plan.Resident }, Work.Quiet).OrThrow().Dispose();
    }

    [Fact]
    public void A_missing_file_is_a_problem_and_no_exception()
    {
        Assert.Equal(ProblemCode.NotFound, Segment.Open(FileDisk.Instance, Path.Combine(_folder, "no.seg"), new SegmentLoad(), Work.Quiet).Problem?.Code);
        Assert.Equal(ProblemCode.NotFound, Segment.Plan(FileDisk.Instance, Path.Combine(_folder, "no", "no.seg")).Problem?.Code);
    }

    [Fact]
    public void A_cancelled_open_leaves_nothing_open()
    {
        using var sample = new SegmentSample();
        var disk = new FaultyDisk { ["s"] = sample.Bytes() };
        var work = new Work(1, null, new CancellationToken(canceled: true));
        Assert.Throws<OperationCanceledException>(() => Segment.Open(disk, "s", new SegmentLoad(), work));
        Assert.Equal(0, disk.OpenHandles);
    }

    [Fact]
    public void A_segment_may_be_closed_twice_and_outlives_its_deleted_file()
    {
        using var sample = new SegmentSample();
        string path = Path.Combine(_folder, "b.seg");
        SegmentWriter.Write(FileDisk.Instance, path, sample.Content, Work.Quiet);
        Segment segment = Segment.Open(FileDisk.Instance, path, new SegmentLoad(), Work.Quiet).OrThrow();
        if (!OperatingSystem.IsWindows())
        {
            FileDisk.Instance.Delete(path);
        }

        AssertSame(sample, segment);
        segment.Dispose();
        segment.Dispose();
        Assert.Throws<CheckFailedException>(() => segment.View());
    }

    [Fact]
    public void A_segment_is_told_apart_from_others_by_one_number()
    {
        using var one = new SegmentSample();
        using var two = new SegmentSample();
        using var other = new SegmentSample(seed: 2);

        uint CrcOf(SegmentSample sample)
        {
            using Segment segment = SegmentSample.Open(sample.Bytes());
            return segment.Crc;
        }

        Assert.Equal(CrcOf(one), CrcOf(two));
        Assert.NotEqual(CrcOf(one), CrcOf(other));
    }

    [Fact]
    public void Many_threads_may_open_one_file_at_once()
    {
        using var sample = new SegmentSample(count: 500, dim: 33, r: 20);
        string path = Path.Combine(_folder, "c.seg");
        SegmentWriter.Write(FileDisk.Instance, path, sample.Content, Work.Quiet);
        new Work(8).For("opening", 64, 1, (_, _, _) =>
        {
            using Segment segment = Segment.Open(FileDisk.Instance, path, new SegmentLoad(), new Work(2)).OrThrow();
            AssertSame(sample, segment);
        });
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static void AssertSame(SegmentSample sample, Segment segment)
    {
        SegmentView view = segment.View();
        Assert.True(view.Codes == null && view.Quantizer is null);
        Assert.Equal(Metric.InnerProduct, view.Metric);
        Assert.Equal((sample.Graph.R, sample.Graph.Entry, sample.Graph.Count), (view.Graph.R, view.Graph.Entry, view.Graph.Count));
        int count = (int)segment.Info.Count;
        Assert.True(Same(sample.Graph.Rows, view.Graph.Rows, (long)count * sample.Graph.RowBytes));
        Assert.True(Same(sample.Vectors.First, view.Vectors.First, (long)count * sample.Vectors.RowBytes));
        Assert.True(sample.Content.Ids.Span.SequenceEqual(new ReadOnlySpan<ulong>(segment.Ids, count)));
        Assert.Equal(sample.Content.Metadata, segment.Metadata);
    }

    private static bool Same(byte* a, byte* b, long length) => new ReadOnlySpan<byte>(a, (int)length).SequenceEqual(new ReadOnlySpan<byte>(b, (int)length));
}
