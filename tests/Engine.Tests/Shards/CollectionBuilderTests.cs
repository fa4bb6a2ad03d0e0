using Signpost.Engine.Base;
using Signpost.Engine.Build;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Shards;

public class CollectionBuilderTests : ShardTest
{
    [Fact]
    public void All_wrong_options_are_named_at_once_and_nothing_is_written()
    {
        using VectorBlock vectors = Bytes(10);
        var options = new BuildOptions
        {
            Name = "../x",
            Shards = 0,
            Metric = (Metric)9,
            Graph = new GraphOptions { R = 0 },
            Quantizer = QuantizerKind.Pq,
            Codes = new QuantizerOptions { M = Dim + 1, K = 17 },
        };

        Assert.Equal(["name", "shards", "metric"], options.Validate(Dim).Take(3).Select(p => p.What));
        Assert.Equal(6, options.Validate(Dim).Count);
        Problem? problem = CollectionBuilder.Build(Disk, Folder, new BuildInput(vectors), options, Work.Quiet).Problem;

        Assert.Equal(ProblemCode.InvalidArgument, problem?.Code);
        Assert.All(options.Validate(Dim), each => Assert.Contains(each.What, problem!.What));
        Assert.False(Directory.Exists(Folder));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData(".hidden")]
    [InlineData("line\n")]
    public void A_name_that_could_not_be_a_file_name_is_refused(string name) =>
        Assert.Contains((Options() with { Name = name }).Validate(Dim), p => p.What == "name");

    [Fact]
    public void Bad_vectors_are_refused_with_nothing_written()
    {
        using VectorBlock vectors = VectorBlock.Of([1, 2, float.NaN, 4], 2);

        Problem? problem = CollectionBuilder.Build(Disk, Folder, new BuildInput(vectors), Options(), Work.Quiet).Problem;

        Assert.Equal("vector of row 1", problem?.What);
        Assert.False(Directory.Exists(Folder));
    }

    [Fact]
    public void A_build_that_needs_more_memory_than_the_limit_is_refused_with_nothing_written()
    {
        using VectorBlock vectors = Bytes(300);
        long need = BuildPlan.PeakBytes(vectors, Options(), 300);

        Problem? problem = CollectionBuilder.Build(Disk, Folder, new BuildInput(vectors), Options() with { MemoryLimit = need - 1 }, Work.Quiet).Problem;

        Assert.Equal(ProblemCode.NotEnoughMemory, problem?.Code);
        Assert.Contains($"need {need} bytes", problem!.Got);
        Assert.False(Directory.Exists(Folder));
        Build(vectors, Options() with { MemoryLimit = need });
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public unsafe void Every_vector_is_stored_once_under_its_id_in_the_shard_of_its_slot(int shards)
    {
        using VectorBlock vectors = Bytes(400);
        ulong[] ids = [.. Enumerable.Range(0, 400).Select(i => Seeded.Mix((ulong)i))];
        CollectionManifest manifest = Build(vectors, Options(shards), ids);
        var rowOf = Enumerable.Range(0, 400).ToDictionary(i => ids[i]);
        int found = 0;

        Assert.Equal(shards, manifest.Shards.Count);
        foreach (ManifestShard shard in manifest.Shards)
        {
            using Segment segment = Segment.Open(Disk, Path.Combine(Folder, shard.Segment), new SegmentLoad(), Work.Quiet).OrThrow();
            for (int vertex = 0; vertex < segment.Info.Count; vertex++)
            {
                ulong id = segment.Ids[vertex];
                Assert.True(new SlotRange(shard.SlotFrom, shard.SlotTo).Owns(id));
                Assert.True(rowOf.Remove(id, out int row));
                Assert.True(segment.Vectors.RowSpan(vertex).SequenceEqual(vectors.RowSpan(row)));
                found++;
            }
        }

        Assert.Equal(400, found);
    }

    [Fact]
    public void More_shards_than_vectors_leave_empty_shards_and_lose_nothing()
    {
        using VectorBlock vectors = Bytes(3);

        CollectionManifest manifest = Build(vectors, Options(shards: 16));

        Assert.Equal(3, manifest.Shards.Sum(s => s.Count));
        using Collection collection = Open();
        Assert.Equal(16, collection.Info.ShardsOpen);
    }

    [Fact]
    public void Codes_of_every_shard_are_those_of_the_one_quantizer()
    {
        using VectorBlock vectors = Bytes(600);
        Build(vectors, Options(shards: 3) with { Quantizer = QuantizerKind.Pq, Codes = new QuantizerOptions { M = 6, K = 16, TrainingVectors = 256 } });
        using Collection collection = Open();
        Span<Hit> hits = new Hit[10];
        using Query query = collection.NewQuery();
        query.SetRow(vectors.RowSpan(17));

        foreach (CollectionShard shard in collection.Shards)
        {
            using Snapshot snapshot = shard.Shard!.Snapshot(1);
            int count = snapshot.Search(query, new SearchParameters(10, 200, SearchMode.Codes), Deadline.None, hits, out _);
            Assert.Equal(10, count);
            foreach (Hit hit in hits)
            {
                Assert.Equal(CodeDistance(collection.Quantizer!, vectors, (long)hit.Id, query), hit.Distance, 1e-3f * hit.Distance);
            }
        }
    }

    [Fact]
    public void The_files_are_the_same_on_any_number_of_threads()
    {
        using VectorBlock vectors = Bytes(500);
        BuildOptions options = Options(shards: 2) with { Quantizer = QuantizerKind.Pq, Codes = new QuantizerOptions { M = 4, K = 16, TrainingVectors = 256 } };
        string other = Path.Combine(Root, "other");

        Build(vectors, options);
        CollectionBuilder.Build(Disk, other, new BuildInput(vectors), options, new Work(3)).OrThrow();

        Assert.Equal(FilesIn(Folder), FilesIn(other));
    }

    [Fact]
    public void Each_step_tells_its_progress()
    {
        using VectorBlock vectors = Bytes(100);
        var phases = new List<string>();
        var progress = new Recorder(p => phases.Add(p.Phase));

        CollectionBuilder.Build(Disk, Folder, new BuildInput(vectors), Options(shards: 2), new Work(1, progress)).OrThrow();

        Assert.Equal("checking the vectors", phases[0]);
        Assert.Equal("assigning slots", phases[1]);
        Assert.Equal(["shard 1/2: gathering vectors", "shard 2/2: gathering vectors"], phases.Where(p => p.EndsWith("gathering vectors", StringComparison.Ordinal)));
        Assert.Equal(2, phases.Count(p => p == "building shards"));
    }

    [Fact]
    public void The_manifest_tells_what_building_took()
    {
        using VectorBlock vectors = Bytes(300);
        Build(vectors, Options());

        BuildCost? cost = ManifestFile.Open(Disk, Folder).OrThrow().Cost;

        Assert.NotNull(cost);
        Assert.True(cost.Seconds > 0 && cost.CpuSeconds > 0, $"{cost}");
    }

    private static unsafe float CodeDistance(IQuantizer quantizer, VectorBlock vectors, long row, Query query)
    {
        byte* code = stackalloc byte[quantizer.CodeBytes];
        quantizer.Encode(vectors, row, 1, code);
        float* table = query.Table(quantizer);
        float sum = 0;
        for (int i = 0; i < quantizer.M; i++)
        {
            int number = quantizer.K == 16 ? (code[i / 2] >> (4 * (i % 2))) & 15 : code[i];
            sum += table[(i * quantizer.K) + number];
        }

        return sum;
    }

    private sealed class Recorder(Action<PhaseProgress> action) : IProgress<PhaseProgress>
    {
        public void Report(PhaseProgress value) => action(value);
    }
}
