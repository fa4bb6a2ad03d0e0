using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Tests.Shards;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Cluster;

public class TrainingJobTests : TrainingTest
{
    [Theory]
    [InlineData(1, true)]
    [InlineData(4, true)]
    [InlineData(3, false)]
    public unsafe void A_collection_gets_the_codes_of_the_new_quantizer_in_every_shard_and_nothing_else_changes(int shards, bool hadCodes)
    {
        CollectionManifest old = Build(shards, hadCodes);
        Dictionary<string, byte[]> before = FilesIn(Folder);

        TrainingResult result = Train(Opq).OrThrow();

        Assert.False(result.WasDone);
        Assert.Equal(new CodesInfo(QuantizerKind.Opq, 3, 16, old.CodesVersion + 1), result.Manifest.Quantizer!.Info);
        Assert.True(old.IsSameButCodes(result.Manifest));
        Assert.Equal([.. result.Manifest.Files, CollectionManifest.FileName], NamesIn(Folder).ToHashSet()); // and the old codes are gone
        Assert.All(old.Shards, shard => Assert.Equal(before[shard.Segment], File.ReadAllBytes(Path.Combine(Folder, shard.Segment))));
        using Collection collection = Open(new CollectionOptions { RequireAll = true });
        byte* code = stackalloc byte[2];
        foreach (ManifestShard shard in collection.Manifest.Shards)
        {
            using Segment segment = Segment.Open(Disk, Path.Combine(Folder, shard.Segment), new SegmentLoad(), Work.Quiet).OrThrow();
            byte[] file = File.ReadAllBytes(Path.Combine(Folder, shard.Codes!));
            for (int vertex = 0; vertex < shard.Count; vertex++)
            {
                collection.Quantizer!.Encode(segment.Vectors, vertex, 1, code);
                Assert.Equal(new ReadOnlySpan<byte>(code, 2), file.AsSpan(128 + (2 * vertex), 2));
            }
        }
    }

    [Fact]
    public void The_result_is_the_same_on_any_number_of_threads_and_tells_the_error_of_the_codes()
    {
        Build(shards: 3);
        TrainingResult one = Train(Opq).OrThrow();
        Dictionary<string, byte[]> files = FilesIn(Folder);
        Directory.Delete(Folder, recursive: true);
        Build(shards: 3);

        TrainingResult three = Train(Opq, work: new Work(3)).OrThrow();

        Assert.Equal(files, FilesIn(Folder));
        Assert.Equal(one.Error, three.Error);
        Assert.Equal(256, one.Sampled);
        Assert.True(one.Error > 0 && one.Cost.Seconds > 0);
    }

    [Fact]
    public void The_sample_has_of_every_shard_its_part_and_no_vector_twice()
    {
        Build(shards: 5);
        using Collection collection = Open();
        EmbeddedCluster cluster = ClusterOf(collection);
        var method = new SpyMethod(sampleSize: 100);

        Train(cluster, method).OrThrow();

        Assert.Equal(100, method.Sample.Length);
        Assert.Distinct(method.Sample);
        var shardOf = Enumerable.Range(0, Count).ToDictionary(
            row => Convert.ToHexString(Vectors.RowSpan(row)), row => collection.Shards.Single(s => s.Slots.Owns((ulong)row)).Entry.Id);
        foreach (CollectionShard shard in collection.Shards)
        {
            Assert.InRange(method.Sample.Count(v => shardOf[v] == shard.Entry.Id), (shard.Entry.Count / 4) - 1, (shard.Entry.Count / 4) + 1);
        }
    }

    [Fact]
    public void A_collection_smaller_than_the_sample_is_learned_from_whole()
    {
        Build(shards: 3);
        using Collection collection = Open();
        EmbeddedCluster cluster = ClusterOf(collection);
        var method = new SpyMethod(sampleSize: 10_000);

        Train(cluster, method).OrThrow();

        Assert.Equal(Enumerable.Range(0, Count).Select(row => Convert.ToHexString(Vectors.RowSpan(row))).Order(), method.Sample.Order());
    }

    [Fact]
    public void The_same_training_again_finds_its_codes_in_use_and_another_one_is_the_next_version()
    {
        Build(shards: 2);
        Train(Opq).OrThrow();
        Dictionary<string, byte[]> files = FilesIn(Folder);

        TrainingResult again = Train(Opq).OrThrow();

        Assert.True(again.WasDone);
        Assert.Equal(files, FilesIn(Folder));
        Assert.Equal(3u, Train(Pq).OrThrow().Manifest.CodesVersion);
        Assert.Equal(4u, Train(Opq).OrThrow().Manifest.CodesVersion);
    }

    [Fact]
    public void A_training_killed_at_any_change_of_the_disk_leaves_the_old_codes_or_the_new_ones_and_the_next_run_finishes_it()
    {
        Build(shards: 3);
        Hit[][] old = Answers();
        Train(Opq).OrThrow();
        Hit[][] trained = Answers();
        Dictionary<string, byte[]> expected = FilesIn(Folder);
        Assert.NotEqual(old[0], trained[0]);
        int finishedAfter = 0;
        for (int changes = 0; finishedAfter == 0; changes++)
        {
            Directory.Delete(Folder, recursive: true);
            Build(shards: 3);
            var disk = new StoppingDisk(changes);
            try
            {
                Train(Opq, disk).OrThrow();
                finishedAfter = changes;
            }
            catch (StoppingDisk.StoppedException)
            {
                bool isCommitted = ManifestFile.Open(Disk, Folder).OrThrow().CodesVersion == 2;
                Assert.Equal(isCommitted ? trained : old, Answers());
                Assert.Equal(isCommitted, Train(Opq).OrThrow().WasDone);
            }

            Assert.Equal(expected, FilesIn(Folder));
        }

        Assert.True(finishedAfter > 25, $"{finishedAfter} changes: a quantizer, three codes files, a manifest, five removals");
    }

    [Fact]
    public void What_an_interrupted_training_finished_is_taken_over_and_what_is_damaged_is_made_again()
    {
        Build(shards: 3);
        var disk = new StoppingDisk(int.MaxValue);
        Train(Opq, disk).OrThrow();
        CollectionManifest trained = ManifestFile.Open(Disk, Folder).OrThrow();
        Assert.Equal(5, disk.Created.Count); // quantizer, three shards, manifest
        Dictionary<string, byte[]> files = FilesIn(Folder);
        Directory.Delete(Folder, recursive: true);
        Build(shards: 3);
        foreach (string name in (string[])[trained.Quantizer!.File, trained.Shards[0].Codes!, trained.Shards[2].Codes!])
        {
            File.WriteAllBytes(Path.Combine(Folder, name), files[name]);
        }

        byte[] damaged = [.. files[trained.Shards[2].Codes!]];
        damaged[^1] ^= 1;
        File.WriteAllBytes(Path.Combine(Folder, trained.Shards[2].Codes!), damaged);
        var second = new StoppingDisk(int.MaxValue);

        Train(Opq, second).OrThrow();

        Assert.Equal(
            [trained.Shards[1].Codes!, trained.Shards[2].Codes!, CollectionManifest.FileName],
            second.Created.Select(name => trained.Files.Append(CollectionManifest.FileName).Single(f => name.StartsWith(f, StringComparison.Ordinal))));
        Assert.Equal(files, FilesIn(Folder));
    }

    [Fact]
    public void A_training_cancelled_in_any_phase_leaves_the_old_codes_and_drops_the_new_ones_from_memory()
    {
        Build(shards: 3);
        using Collection collection = Open();
        EmbeddedCluster cluster = ClusterOf(collection);
        long memory = collection.Info.Memory.Resident;
        for (int reports = 1; ; reports++)
        {
            using var stop = new CancellationTokenSource();
            var work = new Work(1, new CancelAfter(reports, stop), stop.Token);
            try
            {
                Train(cluster, Opq, work).OrThrow();
                Assert.True(reports > 5);
                break;
            }
            catch (OperationCanceledException)
            {
                if (ManifestFile.Open(Disk, Folder).OrThrow().CodesVersion == 2)
                {
                    break; // while the error was measured: the codes are in use
                }

                Assert.Equal(memory, collection.Info.Memory.Resident);
                Assert.DoesNotContain(Disk.List(Folder), name => name.EndsWith(".tmp", StringComparison.Ordinal));
            }
        }

        Assert.Equal(2u, Train(Opq).OrThrow().Manifest.CodesVersion);
    }

    [Fact]
    public void Another_writer_in_the_folder_is_refused_and_named()
    {
        Build(shards: 2);
        Dictionary<string, byte[]> files = FilesIn(Folder);
        using (CollectionFiles.Lock(Disk, Folder).OrThrow())
        {
            Assert.Equal(ProblemCode.Busy, Train(Opq).Problem?.Code);
            Problem? build = CollectionBuilder.Build(Disk, Folder, new BuildInput(Vectors), WithCodes(2) with { Overwrite = true }, Work.Quiet).Problem;
            Assert.Equal(ProblemCode.Busy, build?.Code);
            Assert.Contains(Folder, build!.Got);
            Assert.Equal(files, FilesIn(Folder));
        }

        Train(Opq).OrThrow();
    }

    [Fact]
    public async Task Bad_settings_a_missing_shard_and_a_folder_without_a_collection_are_refused_with_nothing_changed()
    {
        CollectionManifest manifest = Build(shards: 2);
        var wrong = new VectorQuantizerMethod(QuantizerKind.Pq, new QuantizerOptions { M = Dim + 1, K = 17 });
        Problem? bad = Train(wrong).Problem;
        Assert.Equal(ProblemCode.InvalidArgument, bad?.Code);
        Assert.Contains("; ", bad!.What); // both
        Assert.Equal(ProblemCode.NotSupported, Train(new VectorQuantizerMethod(QuantizerKind.Rpq, new QuantizerOptions { M = 4 })).Problem?.Code);

        File.WriteAllText(Path.Combine(Folder, manifest.Shards[1].Segment), "cut");
        Dictionary<string, byte[]> files = FilesIn(Folder);
        Problem? missing = Train(Opq).Problem;
        Assert.Equal(ProblemCode.IncompleteCoverage, missing?.Code);
        Assert.Contains(manifest.Shards[1].Segment, missing!.Got);
        Assert.Equal(files, FilesIn(Folder));

        string empty = Path.Combine(Root, "empty");
        Directory.CreateDirectory(empty);
        Outcome<TrainingResult> none = await TrainingJob.RunAsync(Disk, empty, new EmbeddedClusterState(), null!, Opq, Work.Quiet);
        Assert.Equal(ProblemCode.NotFound, none.Problem?.Code);
        Assert.Empty(Disk.List(empty));
    }

    [Fact]
    public void Memory_for_both_codes_that_is_not_there_is_refused_before_anything_is_loaded()
    {
        Build(shards: 2);
        using Collection whole = Open();
        long need = whole.Info.Memory.Resident + (Count * 2);
        using Collection small = Open(new CollectionOptions { MemoryLimit = need - 1 });
        EmbeddedCluster cluster = ClusterOf(small);

        Outcome<TrainingResult> refused = Train(cluster, Opq);

        Assert.Equal(ProblemCode.NotEnoughMemory, refused.Problem?.Code);
        Assert.Equal($"need {need} bytes, have {need - 1}", refused.Problem!.Got);
        Assert.Equal(1u, ManifestFile.Open(Disk, Folder).OrThrow().CodesVersion);
        Assert.DoesNotContain(Disk.List(Folder), name => name.EndsWith(".codes", StringComparison.Ordinal) && !small.Manifest.Files.Contains(name));
        Assert.Equal(need - (Count * 2), small.Info.Memory.Resident);
        using Collection enough = Open(new CollectionOptions { MemoryLimit = need });
        EmbeddedCluster other = ClusterOf(enough);
        Train(other, Opq).OrThrow();
    }

    [Fact]
    public void A_collection_that_was_built_anew_since_it_was_opened_is_not_trained()
    {
        Build(shards: 2);
        using Collection collection = Open();
        EmbeddedCluster cluster = ClusterOf(collection);
        using VectorBlock others = Bytes(Count, seed: 9);
        Build(others, WithCodes(2) with { Overwrite = true });
        Dictionary<string, byte[]> files = FilesIn(Folder);

        Problem? problem = Train(cluster, Opq).Problem;

        Assert.Equal(ProblemCode.NotFound, problem?.Code);
        CollectionManifest now = ManifestFile.Open(Disk, Folder).OrThrow();
        Assert.All(now.Files, file => Assert.Equal(files[file], File.ReadAllBytes(Path.Combine(Folder, file))));
        Assert.Equal(1u, now.CodesVersion);
    }

    /// <summary>PQ that remembers what it learned from.</summary>
    private sealed record SpyMethod(int sampleSize) : QuantizerMethod
    {
        public string[] Sample { get; private set; } = [];

        public override QuantizerKind Kind => QuantizerKind.Pq;

        public override int SampleSize => sampleSize;

        public override ulong Seed => 3;

        public override string Fingerprint => "spy";

        public override IReadOnlyList<Problem> Validate(int dim, Metric metric) => [];

        public override ValueTask<LearnedQuantizer> TrainAsync(TrainingInput input)
        {
            Sample = [.. Enumerable.Range(0, (int)input.Sample.Count).Select(row => Convert.ToHexString(input.Sample.RowSpan(row)))];
            return new(new LearnedQuantizer(QuantizerTrainer.Train(
                Kind, input.Sample, input.Manifest.Metric, new QuantizerOptions { M = 2, K = 16, Iterations = 1, Version = input.Version }, input.Work)));
        }
    }
}
