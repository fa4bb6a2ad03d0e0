using Signpost.Engine.Base;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Tests.Shards;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>Whenever a shard is opened, it ends with the codes that its collection uses.</summary>
public class CodesOfOpenedShardsTests : TrainingTest
{
    private static readonly CollectionOptions NoneAtFirst = new() { OpenShards = false };

    private readonly CollectionManifest _first;
    private readonly CollectionManifest _next;

    public CodesOfOpenedShardsTests()
    {
        _first = Build(shards: 3);
        Dictionary<string, byte[]> files = _first.Files.ToDictionary(name => name, name => File.ReadAllBytes(Path.Combine(Folder, name)));
        _next = Train(Opq).OrThrow().Manifest;
        foreach ((string name, byte[] bytes) in files)
        {
            File.WriteAllBytes(Path.Combine(Folder, name), bytes);
        }

        ManifestFile.Save(Disk, Folder, _first);
    }

    [Fact]
    public void A_shard_that_is_opened_after_a_switch_has_the_codes_of_the_next_manifest_alone()
    {
        using Collection collection = Open(NoneAtFirst);
        collection.OpenShard(0, Work.Quiet).OrThrow();
        Switch(collection);

        Shard opened = collection.OpenShard(1, Work.Quiet).OrThrow();

        AssertNextAlone(collection, 0, 1);
        Assert.Equal(collection.BytesOf(1), opened.Memory.Resident);
    }

    [Fact]
    public void A_shard_that_is_opened_while_codes_are_coming_has_both_and_then_those_in_use()
    {
        using Collection collection = Open(NoneAtFirst);
        collection.OpenShard(0, Work.Quiet).OrThrow();
        Assert.Null(collection.OpenCodes(_next, Work.Quiet));

        Shard opened = collection.OpenShard(1, Work.Quiet).OrThrow();

        Assert.True(opened.HasCodes(1) && opened.HasCodes(2));
        collection.Use(_next);
        collection.DropCodes(1);
        AssertNextAlone(collection, 0, 1);
    }

    [Fact]
    public void Codes_that_came_to_nothing_are_not_opened_with_later_shards()
    {
        using Collection collection = Open(NoneAtFirst);
        collection.OpenShard(0, Work.Quiet).OrThrow();
        Assert.Null(collection.OpenCodes(_next, Work.Quiet));
        collection.DropCodes(2);
        Assert.False(collection.OpenShard(1, Work.Quiet).OrThrow().HasCodes(2));

        string path = Path.Combine(Folder, _next.Shards[0].Codes!);
        File.WriteAllText(path, "cut");
        Assert.Throws<BadFileException>(() => collection.OpenCodes(_next, Work.Quiet));
        Assert.False(collection.OpenShard(2, Work.Quiet).OrThrow().HasCodes(2));
        Assert.All(collection.Shards, shard => Assert.True(shard.Shard!.HasCodes(1)));
    }

    [Theory]
    [InlineData(".segment", true)]
    [InlineData(".segment", false)]
    [InlineData(".codes", true)]
    [InlineData(".codes", false)]
    public void A_shard_that_is_being_opened_when_the_codes_are_switched_has_those_in_use(string file, bool isSwept)
    {
        Collection? opening = null;
        var disk = new MeddlingDisk(file, () =>
        {
            Switch(opening!);
            if (isSwept)
            {
                Array.ForEach([.. _first.Shards], shard => File.Delete(Path.Combine(Folder, shard.Codes!)));
            }
        });
        using Collection collection = opening = Collection.Open(disk, Folder, NoneAtFirst, Work.Quiet).OrThrow();

        collection.OpenShard(1, Work.Quiet).OrThrow();

        Assert.True(disk.HasMeddled);
        AssertNextAlone(collection, 1);
    }

    [Fact]
    public void Shards_that_come_and_go_under_switches_end_with_the_codes_in_use()
    {
        using Collection collection = Open(NoneAtFirst);
        using var ended = new ManualResetEventSlim();
        Exception? failure = null;
        long opened = 0;
        var opener = new Thread(() =>
        {
            try
            {
                for (int i = 0; !ended.IsSet || i < 50; i++)
                {
                    collection.OpenShard(i % 3, Work.Quiet).OrThrow();
                    collection.CloseShard((i + 1) % 3);
                    Interlocked.Increment(ref opened);
                }
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        opener.Start();
        for (int i = 0; failure is null && (i < 200 || (Interlocked.Read(ref opened) < 200 && i < 20_000)); i++)
        {
            CollectionManifest next = i % 2 == 0 ? _next : _first;
            Assert.Null(collection.OpenCodes(next, Work.Quiet));
            uint old = collection.Manifest.CodesVersion;
            collection.Use(next);
            collection.DropCodes(old);
        }

        ended.Set();
        opener.Join();

        Assert.Null(failure);
        uint used = collection.Manifest.CodesVersion;
        Assert.All(Enumerable.Range(0, 3), number =>
        {
            Shard shard = collection.OpenShard(number, Work.Quiet).OrThrow();
            Assert.True(shard.HasCodes(used) && !shard.HasCodes(3 - used), $"shard {number}");
        });
    }

    private void Switch(Collection collection)
    {
        Assert.Null(collection.OpenCodes(_next, Work.Quiet));
        collection.Use(_next);
        collection.DropCodes(1);
    }

    private static void AssertNextAlone(Collection collection, params ReadOnlySpan<int> numbers)
    {
        foreach (int number in numbers)
        {
            Shard shard = collection.ShardOf(number);
            Assert.True(shard.HasCodes(2) && !shard.HasCodes(1), $"shard {number}");
        }
    }
}
