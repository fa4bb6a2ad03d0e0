using Signpost.Engine.Storage;
using Signpost.Engine.Tests.Shards;

namespace Signpost.Engine.Tests.Storage;

public class DirectorySegmentStoreTests : SegmentStoreContract
{
    private readonly string _root = Directory.CreateTempSubdirectory("signpost-store-").FullName;

    public DirectorySegmentStoreTests() => Store = new DirectorySegmentStore(FileDisk.Instance, Path.Combine(_root, "store"));

    protected override ISegmentStore Store { get; }

    public override void Dispose()
    {
        Directory.Delete(_root, recursive: true);
        base.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void Its_collections_are_opened_where_they_are()
    {
        Put("one", "a", [1, 2]);

        Assert.Equal(Path.Combine(Store.Name, "one"), Store.FolderOf("one"));
        Assert.Equal([1, 2], File.ReadAllBytes(Path.Combine(Store.FolderOf("one")!, "a")));
    }

    [Fact]
    public void A_process_that_is_killed_at_any_change_of_the_disk_leaves_each_file_whole_or_not_there()
    {
        byte[] bytes = Bytes((2 << 20) + 3, 1);
        byte[] manifest = Bytes(300, 2);
        for (int changes = 0; ; changes++)
        {
            string root = Path.Combine(_root, $"killed-{changes}");
            var disk = new StoppingDisk(changes);
            try
            {
                var dying = new DirectorySegmentStore(disk, root);
                dying.Put("one", "a", new HookedFile(bytes), default);
                dying.TryReplaceManifest("one", null, manifest, default);
            }
            catch (StoppingDisk.StoppedException)
            {
            }

            var store = new DirectorySegmentStore(FileDisk.Instance, root);
            Assert.Contains(store.LengthOf("one", "a", default), (long?[])[null, bytes.Length]);
            if (store.ReadManifest("one", default) is { } read)
            {
                Assert.Equal(manifest, read);
                Assert.Equal(bytes.Length, store.LengthOf("one", "a", default));
            }

            if (!disk.Stopped)
            {
                Assert.True(changes > 8);
                return;
            }
        }
    }
}
