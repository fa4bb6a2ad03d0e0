using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Tests.Shards;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>Codes are replaced under searches that run all the time.</summary>
public class CodesSwitchTests : TrainingTest
{
    private const int Rows = 8;

    [Fact]
    public void Every_answer_under_switches_back_and_forth_is_that_of_one_version_alone()
    {
        CollectionManifest first = Build(shards: 5);
        Dictionary<string, byte[]> files = FilesOf(first);
        Hit[][] expectedFirst = AnswersOf(first, files);
        CollectionManifest second = Train(Opq).OrThrow().Manifest;
        Add(files, second);
        Hit[][] expectedSecond = AnswersOf(second, files);
        AssertToldApart(expectedFirst, expectedSecond);
        using Collection collection = Open(new CollectionOptions { RequireAll = true });
        EmbeddedCluster cluster = ClusterOf(collection);
        using var searchers = new Searchers(this, cluster.Coordinator, collection, [expectedFirst, expectedSecond], threads: 3);

        int switches = 0;
        while (searchers.Failure is null && (switches < 400 || (!searchers.SawAll && switches < 20_000)))
        {
            Publish(switches % 2 == 0 ? first : second);
            Assert.True(cluster.Refresh(Work.Quiet).OrThrow());
            switches++;
        }

        searchers.End();
        Assert.Null(searchers.Failure);
        Assert.True(searchers.SawAll, $"{searchers.Answers} answers under {switches} switches");
        Assert.All(collection.Shards, shard => Assert.NotEqual(shard.Shard!.HasCodes(1), shard.Shard.HasCodes(2))); // the others were let go
        Assert.Equal(switches + 1, cluster.Coordinator.Map.Version);
    }

    [Fact]
    public void Every_answer_while_trainings_follow_one_another_is_that_of_one_version_alone()
    {
        Build(shards: 3);
        using Collection collection = Open(new CollectionOptions { RequireAll = true });
        EmbeddedCluster cluster = ClusterOf(collection);
        var versions = new List<Hit[][]> { Rowwise(Open()) };
        QuantizerMethod MethodOf(int training)
        {
            var method = (VectorQuantizerMethod)(training % 2 == 0 ? Opq : Pq);
            return method with { Options = method.Options with { Seed = (ulong)training } };
        }

        for (int training = 1; training <= 6; training++)
        {
            Train(MethodOf(training)).OrThrow(); // once, to know the answers of each version
            versions.Add(Rowwise(Open()));
        }

        Directory.Delete(Folder, recursive: true);
        Build(shards: 3);
        using var searchers = new Searchers(this, cluster.Coordinator, collection, [.. versions], threads: 2);
        for (int training = 1; training <= 6; training++)
        {
            Train(cluster, MethodOf(training)).OrThrow(); // beside the searches, in their own process
            Assert.True(cluster.Refresh(Work.Quiet).OrThrow());
            Assert.Equal((uint)training + 1, collection.Manifest.CodesVersion);
            Assert.Equal(CodesInfo.Of(collection.Quantizer!), collection.Info.Codes);
        }

        searchers.End();
        Assert.Null(searchers.Failure);
        Assert.Equal(versions[^1][0], Answer(cluster.Coordinator, collection, 0));
    }

    [Fact]
    public void A_collection_without_codes_gets_some_while_it_is_searched()
    {
        Build(shards: 2, withCodes: false);
        using Collection collection = Open();
        EmbeddedCluster cluster = ClusterOf(collection);
        Assert.Equal(0u, cluster.Coordinator.Map.CodesVersion);
        Assert.Null(collection.Quantizer);

        Train(Pq).OrThrow(); // another process
        Assert.False(cluster.Coordinator.Map.CodesVersion > 0);
        Assert.True(cluster.Refresh(Work.Quiet).OrThrow());

        Assert.Equal(1u, cluster.Coordinator.Map.CodesVersion);
        Assert.Equal(Answers()[0], Answer(cluster.Coordinator, collection, 0));
        Assert.False(cluster.Refresh(Work.Quiet).OrThrow()); // nothing new
    }

    [Fact]
    public void What_cannot_be_opened_leaves_the_old_codes_in_use()
    {
        Build(shards: 3);
        Hit[][] old = Answers();
        using Collection collection = Open();
        EmbeddedCluster cluster = ClusterOf(collection);
        long memory = collection.Info.Memory.Resident;
        CollectionManifest trained = Train(Opq).OrThrow().Manifest;
        string path = Path.Combine(Folder, trained.Shards[2].Codes!);
        byte[] good = File.ReadAllBytes(path);
        File.WriteAllBytes(path, [.. good[..^1], (byte)(good[^1] ^ 1)]);

        Assert.Equal(path, Assert.Throws<BadFileException>(() => cluster.Refresh(Work.Quiet)).Path);

        Assert.Equal(memory, collection.Info.Memory.Resident);
        Assert.Equal(1u, collection.Manifest.CodesVersion);
        Assert.Equal(old[0], Answer(cluster.Coordinator, collection, 0));
        File.WriteAllBytes(path, good);
        Assert.True(cluster.Refresh(Work.Quiet).OrThrow()); // mended
        Assert.NotEqual(old[0], Answer(cluster.Coordinator, collection, 0));
    }

    [Fact]
    public void A_collection_that_is_built_anew_or_has_another_quantizer_of_the_version_in_use_is_to_be_opened_again()
    {
        CollectionManifest manifest = Build(shards: 2);
        using Collection collection = Open();
        EmbeddedCluster cluster = ClusterOf(collection);
        Build(Vectors, WithCodes(2) with { Overwrite = true, Codes = WithCodes(2).Codes with { Seed = 77 } });
        Assert.Equal(ProblemCode.NotSupported, cluster.Refresh(Work.Quiet).Problem?.Code);

        CollectionManifest now = ManifestFile.Open(Disk, Folder).OrThrow();
        Publish(manifest with { Quantizer = now.Quantizer, Shards = [.. manifest.Shards.Zip(now.Shards, (s, n) => s with { Codes = n.Codes })] });
        Problem? same = cluster.Refresh(Work.Quiet).Problem;
        Assert.Equal(ProblemCode.NotSupported, same?.Code);
        Assert.Contains("version 1", same!.Got);
        Assert.Equal(manifest.Quantizer, collection.Manifest.Quantizer);
    }

    [Fact]
    public void A_collection_that_is_opened_while_a_training_ends_has_the_new_codes()
    {
        foreach (int shards in (int[])[1, 3])
        {
            foreach (string ending in (string[])[".codebook", ".segment", ".codes"])
            {
                Build(Vectors, WithCodes(shards) with { Overwrite = true });
                var disk = new MeddlingDisk(ending, () => Train(Opq).OrThrow()); // the old codes are swept away under the opening
                using Collection collection = Collection.Open(disk, Folder, new CollectionOptions(), Work.Quiet).OrThrow();
                Assert.Equal((2u, shards), (collection.Manifest.CodesVersion, collection.Info.ShardsOpen));
                Assert.True(disk.HasMeddled);
            }
        }
    }

    private void Publish(CollectionManifest manifest) => Assert.Null(ManifestFile.Save(Disk, Folder, manifest));

    private Dictionary<string, byte[]> FilesOf(CollectionManifest manifest) =>
        manifest.Files.ToDictionary(name => name, name => File.ReadAllBytes(Path.Combine(Folder, name)));

    /// <summary>Adds the files of <paramref name="manifest"/>, and puts those that its training removed back into the folder.</summary>
    private void Add(Dictionary<string, byte[]> files, CollectionManifest manifest)
    {
        foreach ((string name, byte[] bytes) in FilesOf(manifest))
        {
            files[name] = bytes;
        }

        foreach ((string name, byte[] bytes) in files)
        {
            File.WriteAllBytes(Path.Combine(Folder, name), bytes);
        }
    }

    private Hit[][] AnswersOf(CollectionManifest manifest, Dictionary<string, byte[]> files)
    {
        Assert.All(manifest.Files, name => Assert.True(files.ContainsKey(name)));
        return Rowwise(Open(new CollectionOptions { RequireAll = true }));
    }

    private Hit[][] Rowwise(Collection collection)
    {
        using Collection closing = collection;
        Coordinator coordinator = EmbeddedCluster.Over(collection);
        return [.. Enumerable.Range(0, Rows).Select(row => Answer(coordinator, collection, row))];
    }

    /// <summary>No distance of one version is one of the other, so a mixed answer cannot look like either.</summary>
    private static void AssertToldApart(Hit[][] one, Hit[][] other)
    {
        for (int row = 0; row < Rows; row++)
        {
            Assert.Empty(one[row].Select(hit => hit.Distance).Intersect(other[row].Select(hit => hit.Distance)));
        }
    }

    /// <summary>Threads that search all the time and know the answers of every version.</summary>
    private sealed class Searchers : IDisposable
    {
        private readonly Thread[] _threads;
        private readonly long[] _seen;
        private volatile bool _isEnding;
        private volatile string? _failure;

        public Searchers(CodesSwitchTests test, Coordinator coordinator, Collection collection, Hit[][][] versions, int threads)
        {
            _seen = new long[versions.Length];
            _threads = [.. Enumerable.Range(0, threads).Select(first => new Thread(() => Loop(test, coordinator, collection, versions, first)))];
            Array.ForEach(_threads, thread => thread.Start());
        }

        public string? Failure => _failure;

        public bool SawAll => _seen.All(count => count > 20);

        public long Answers => _seen.Sum();

        public void End()
        {
            _isEnding = true;
            Array.ForEach(_threads, thread => thread.Join());
        }

        public void Dispose() => End();

        private void Loop(CodesSwitchTests test, Coordinator coordinator, Collection collection, Hit[][][] versions, int first)
        {
            try
            {
                for (int row = first; !_isEnding && _failure is null; row = (row + 1) % Rows)
                {
                    Hit[] answer = test.Answer(coordinator, collection, row);
                    int version = Array.FindIndex(versions, expected => expected[row].SequenceEqual(answer));
                    if (version < 0)
                    {
                        _failure = $"row {row}: {string.Join(' ', answer)} is the answer of no version";
                        return;
                    }

                    Interlocked.Increment(ref _seen[version]);
                }
            }
            catch (Exception e)
            {
                _failure = e.ToString();
            }
        }
    }
}
