using Signpost.Engine.Base;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Tests.Storage;
using Signpost.Silo.S3;
using Signpost.Silo.Tests.Support;

namespace Signpost.Silo.Tests.S3;

/// <summary>A store that fails while its files are fetched.</summary>
[Collection(UsesDemoCollection.Name)]
public sealed class S3FaultTests(DemoCollection demo) : IDisposable
{
    private const int Length = (24 << 20) + 5;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [S3Theory]
    [InlineData(nameof(Fault.Cut), 1)]
    [InlineData(nameof(Fault.Cut), 2)]
    [InlineData(nameof(Fault.Silence), 1)]
    [InlineData(nameof(Fault.Flip), 1)]
    public void A_transfer_that_breaks_goes_on_and_what_comes_is_what_was_put(string fault, int times)
    {
        using var server = new S3Server();
        byte[] bytes = Put(server);
        using var proxy = new CuttingProxy(server.Port, Enum.Parse<Fault>(fault), 9 << 20, times);
        using S3SegmentStore store = StoreOf(server, proxy.Endpoint);
        var target = new HookedFile([]);

        store.Get("one", "big", target, default);

        Assert.Equal(bytes, target.Bytes);
        Assert.InRange(proxy.Left, -9, 0); // the faults happened
    }

    [S3Fact]
    public void A_server_that_is_killed_in_mid_download_ends_it_and_after_its_restart_it_can_be_repeated()
    {
        using var server = new S3Server();
        byte[] bytes = Put(server);
        using S3SegmentStore store = StoreOf(server, server.Endpoint);
        var target = new HookedFile([]) { AtWrite = offset => Array.ForEach(offset == 0 ? [server] : new S3Server[0], running => running.Kill()) };

        IOException failed = Assert.ThrowsAny<IOException>(() => store.Get("one", "big", target, default));

        Assert.Contains($"s3://{S3Server.Bucket}/one/big: ", failed.Message);
        Assert.InRange(target.Bytes.Length, 1, Length - 1);
        server.Start();
        var again = new HookedFile([]);
        store.Get("one", "big", again, default);
        Assert.Equal(bytes, again.Bytes);
    }

    [S3Fact]
    public void A_cache_refuses_objects_that_are_cut_or_flipped_by_their_address_and_takes_mended_ones()
    {
        using var server = new S3Server();
        using S3SegmentStore store = StoreOf(server, server.Endpoint);
        CollectionManifest manifest = CollectionPublisher.Publish(FileDisk.Instance, demo.Collection, store, false, Work.Quiet).OrThrow().Manifest;
        foreach (string file in new[] { manifest.Quantizer!.File, manifest.Shards[0].Segment, manifest.Shards[0].Codes! })
        {
            using SegmentCache cache = SegmentCache.Open(store, FileDisk.Instance, _folder.At(file), long.MaxValue).OrThrow();
            string path = server.FileOf($"{manifest.Name}/{file}");
            byte[] good = File.ReadAllBytes(path);
            foreach (byte[] bad in new[] { good[..^1], good[..100], [.. good[..^5], (byte)(good[^5] ^ 8), .. good[^4..]] })
            {
                File.WriteAllBytes(path, bad);
                BadFileException refused = Assert.Throws<BadFileException>(() => cache.Ensure(manifest.Name, [0], Work.Quiet));
                Assert.Equal($"s3://{S3Server.Bucket}/{manifest.Name}/{file}", refused.Path);
                Assert.False(File.Exists(_folder.At(file, manifest.Name, file)));
            }

            File.WriteAllBytes(path, good);
            string folder = cache.Ensure(manifest.Name, [0], Work.Quiet).OrThrow();
            using Collection collection = Collection.Open(FileDisk.Instance, folder, new CollectionOptions { OpenShards = false }, Work.Quiet).OrThrow();
            Assert.Equal(manifest.Shards[0].Count, collection.OpenShard(0, Work.Quiet).OrThrow().Count);
        }
    }

    [S3Fact]
    public void A_server_that_is_not_there_a_bucket_that_is_not_there_and_wrong_keys_are_told_without_the_keys()
    {
        using var server = new S3Server();
        string wrong = _folder.At("wrong");
        File.WriteAllText(wrong, "[default]\naws_access_key_id = NOBODY\naws_secret_access_key = not-the-secret\n");
        using (var denied = new S3SegmentStore(new S3Options(S3Server.Bucket, "") { Endpoint = server.Endpoint, CredentialsFile = wrong }))
        {
            string message = Assert.ThrowsAny<IOException>(() => denied.TryReplaceManifest("one", null, [1], default)).Message;
            Assert.Contains($"s3://{S3Server.Bucket}/one/manifest.json", message);
            Assert.DoesNotContain("not-the-secret", message);
        }

        using (var elsewhere = new S3SegmentStore(new S3Options("elsewhere", "") { Endpoint = server.Endpoint, CredentialsFile = server.Credentials }))
        {
            Assert.Contains("bucket does not exist", Assert.ThrowsAny<IOException>(() => elsewhere.Collections(default)).Message);
            Assert.Contains("bucket does not exist", Assert.ThrowsAny<IOException>(() => elsewhere.ReadManifest("one", default)).Message);
            Assert.Contains("bucket does not exist", Assert.ThrowsAny<IOException>(() => elsewhere.TryReplaceManifest("one", null, [1], default)).Message);
        }

        using S3SegmentStore store = StoreOf(server, server.Endpoint);
        server.Kill();
        Assert.Contains($"s3://{S3Server.Bucket}", Assert.ThrowsAny<IOException>(() => store.ReadManifest("one", default)).Message);
    }

    [Theory]
    [InlineData("s3://")]
    [InlineData("s3:///prefix")]
    [InlineData("http://host/bucket")]
    public void An_address_that_names_no_store_is_refused(string address) => Assert.Equal(
        ProblemCode.InvalidArgument, Assert.Throws<ProblemException>(() => SegmentStores.Open(address, null, "us-east-1", null)).Problem.Code);

    [Fact]
    public void A_bucket_may_have_a_prefix()
    {
        Assert.Equal(("b", ""), (S3Options.Parse("s3://b")!.Bucket, S3Options.Parse("s3://b")!.Prefix));
        Assert.Equal(("b", "p/q"), (S3Options.Parse("s3://b/p/q/")!.Bucket, S3Options.Parse("s3://b/p/q/")!.Prefix));
        Assert.IsType<DirectorySegmentStore>(SegmentStores.Open("some/folder", null, "us-east-1", null));
    }

    private static S3SegmentStore StoreOf(S3Server server, Uri endpoint) => new(new S3Options(S3Server.Bucket, "")
    {
        Endpoint = endpoint,
        CredentialsFile = server.Credentials,
        Stall = TimeSpan.FromSeconds(2),
    });

    private static byte[] Put(S3Server server)
    {
        using S3SegmentStore store = StoreOf(server, server.Endpoint);
        byte[] bytes = new byte[Length];
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)(i * 31 >> 7);
        }

        store.Put("one", "big", new HookedFile(bytes), default);
        return bytes;
    }
}
