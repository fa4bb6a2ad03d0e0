using Signpost.Engine.Base;
using Signpost.Engine.Build;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Shards;

public class InterruptedBuildTests : ShardTest
{
    private static readonly BuildOptions WithCodes =
        Options(shards: 2) with { Quantizer = QuantizerKind.Pq, Codes = new QuantizerOptions { M = 4, K = 16, TrainingVectors = 256, Iterations = 2 } };

    [Fact]
    public void A_build_killed_at_any_change_of_the_disk_is_finished_by_the_next_run()
    {
        using VectorBlock vectors = Bytes(300);
        string whole = Path.Combine(Root, "whole");
        Build(vectors, WithCodes, folder: whole);
        Dictionary<string, byte[]> expected = FilesIn(whole);

        for (int changes = 0; ; changes++)
        {
            var disk = new StoppingDisk(changes);
            if (TryBuild(disk, vectors, WithCodes))
            {
                Assert.True(changes > 10);
                break;
            }

            Assert.True(disk.Stopped);
            if (!CollectionFiles.HasManifest(Disk, Folder))
            {
                Assert.Equal(ProblemCode.NotFound, Collection.Open(Disk, Folder, new CollectionOptions(), Work.Quiet).Problem?.Code);
                Build(vectors, WithCodes);
            }

            Assert.Equal(expected, FilesIn(Folder));
            Directory.Delete(Folder, recursive: true);
        }
    }

    [Fact]
    public void An_overwriting_build_killed_at_any_change_of_the_disk_leaves_the_old_collection_or_the_new_one()
    {
        using VectorBlock old = Bytes(200, seed: 1);
        using VectorBlock next = Bytes(250, seed: 2);

        for (int changes = 0; ; changes++)
        {
            Build(old, Options(shards: 2));
            bool finished = TryBuild(new StoppingDisk(changes), next, Options(shards: 3) with { Overwrite = true });

            using (Collection collection = Open(new CollectionOptions { RequireAll = true }))
            {
                Assert.Equal(collection.Shards.Count == 3 ? 250 : 200, collection.Info.Vectors);
                Assert.True(!finished || collection.Shards.Count == 3);
            }

            Directory.Delete(Folder, recursive: true);
            if (finished)
            {
                Assert.True(changes > 10);
                break;
            }
        }
    }

    [Fact]
    public void A_build_cancelled_in_any_phase_has_no_manifest_and_is_finished_by_the_next_run()
    {
        using VectorBlock vectors = Bytes(300);
        string whole = Path.Combine(Root, "whole");
        Build(vectors, WithCodes, folder: whole);
        Dictionary<string, byte[]> expected = FilesIn(whole);

        for (int reports = 1; ; reports++)
        {
            using var stop = new CancellationTokenSource();
            var work = new Work(1, new CancelAfter(reports, stop), stop.Token);
            try
            {
                CollectionBuilder.Build(Disk, Folder, new BuildInput(vectors), WithCodes, work).OrThrow();
                Assert.True(reports > 8);
                break;
            }
            catch (OperationCanceledException)
            {
                Assert.False(CollectionFiles.HasManifest(Disk, Folder));
                Assert.DoesNotContain(Disk.List(Folder), name => name.EndsWith(".tmp", StringComparison.Ordinal));
            }

            Build(vectors, WithCodes);
            Assert.Equal(expected, FilesIn(Folder));
            Directory.Delete(Folder, recursive: true);
        }
    }

    [Fact]
    public void Shards_that_are_finished_are_kept_and_a_damaged_one_is_built_again()
    {
        using VectorBlock vectors = Bytes(300);
        CollectionManifest manifest = Build(vectors, WithCodes);
        Dictionary<string, byte[]> expected = FilesIn(Folder);
        File.Delete(Path.Combine(Folder, CollectionManifest.FileName));
        string damaged = manifest.Shards[1].Segment;
        byte[] bytes = File.ReadAllBytes(Path.Combine(Folder, damaged));
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(Path.Combine(Folder, damaged), bytes);
        var disk = new StoppingDisk(int.MaxValue);

        Assert.True(TryBuild(disk, vectors, WithCodes));

        Assert.Equal(2, disk.Created.Count);
        Assert.StartsWith(damaged, disk.Created[0], StringComparison.Ordinal);
        Assert.StartsWith(CollectionManifest.FileName, disk.Created[1], StringComparison.Ordinal);
        Assert.Equal(expected, FilesIn(Folder));
    }

    [Fact]
    public void What_another_input_or_another_option_left_is_litter_and_files_of_others_are_not()
    {
        using VectorBlock vectors = Bytes(300, seed: 1);
        using VectorBlock others = Bytes(300, seed: 2);
        foreach ((VectorBlock input, BuildOptions options) in ((VectorBlock, BuildOptions)[])
            [(others, Options()), (vectors, Options() with { Graph = new GraphOptions { R = 16, L = 8 } })])
        {
            Build(input, options);
            File.Delete(Path.Combine(Folder, CollectionManifest.FileName));
        }

        string[] foreign = ["notes.txt", "data.tmp", "shard-1.segment", "shard-0000-0123456789abcdef.segment.bak", "shard-0000-0123456789abcdef.codes.bak"];
        foreach (string name in foreign)
        {
            File.WriteAllText(Path.Combine(Folder, name), "mine");
        }

        string[] litter = ["shard-0000-0123456789abcdef.segment.12-3.tmp", "shard-0000-0123456789abcdef.codes.12-3.tmp", "shard-0000-0123456789abcdef.codes"];
        Array.ForEach(litter, name => File.WriteAllText(Path.Combine(Folder, name), "cut"));
        string fresh = Path.Combine(Root, "fresh");
        Build(vectors, Options(), folder: fresh);
        CollectionManifest manifest = Build(vectors, Options());

        Assert.Equal(FilesIn(fresh), FilesIn(Folder).Where(file => !foreign.Contains(file.Key)).ToDictionary());
        Assert.Equal([.. foreign, manifest.Shards[0].Segment, CollectionManifest.FileName], NamesIn(Folder).ToHashSet());
    }

    [Fact]
    public void A_finished_collection_is_replaced_only_when_asked()
    {
        using VectorBlock old = Bytes(100, seed: 1);
        using VectorBlock next = Bytes(120, seed: 2);
        Build(old, Options());
        Dictionary<string, byte[]> before = FilesIn(Folder);

        Problem? problem = CollectionBuilder.Build(Disk, Folder, new BuildInput(next), Options(), Work.Quiet).Problem;

        Assert.Equal(ProblemCode.AlreadyExists, problem?.Code);
        Assert.Equal(before, FilesIn(Folder));

        Build(next, Options() with { Overwrite = true });
        using Collection collection = Open();
        Assert.Equal(120, collection.Info.Vectors);
        Assert.Equal(2, NamesIn(Folder).Count());
    }

    [Fact]
    public void A_damaged_manifest_counts_as_a_collection_until_it_is_overwritten()
    {
        using VectorBlock vectors = Bytes(100);
        Directory.CreateDirectory(Folder);
        File.WriteAllText(Path.Combine(Folder, CollectionManifest.FileName), "cut");

        Assert.Equal(
            ProblemCode.AlreadyExists, CollectionBuilder.Build(Disk, Folder, new BuildInput(vectors), Options(), Work.Quiet).Problem?.Code);
        Build(vectors, Options() with { Overwrite = true });

        using Collection collection = Open();
        Assert.Equal(100, collection.Info.Vectors);
    }

    private bool TryBuild(StoppingDisk disk, VectorBlock vectors, BuildOptions options)
    {
        try
        {
            CollectionBuilder.Build(disk, Folder, new BuildInput(vectors), options, Work.Quiet).OrThrow();
            return true;
        }
        catch (StoppingDisk.StoppedException)
        {
            return false;
        }
    }
}
