using Signpost.Engine.Cluster;
using Signpost.Engine.Storage;
using Signpost.Engine.Tests.Storage;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>A store that compares and replaces in two steps, whose writers a lease keeps apart: it promises what every store does.</summary>
public sealed class LeasedSegmentStoreTests : SegmentStoreContract
{
    private readonly string _root = Directory.CreateTempSubdirectory("signpost-store-").FullName;
    private readonly EmbeddedClusterState _state = new(TimeProvider.System);
    private readonly TwoStepStore _twoSteps;

    public LeasedSegmentStoreTests()
    {
        _twoSteps = new TwoStepStore(new DirectorySegmentStore(FileDisk.Instance, Path.Combine(_root, "store")));
        Store = new LeasedSegmentStore(_twoSteps, _state, "silo-1", TimeSpan.FromSeconds(30), TimeProvider.System);
    }

    protected override ISegmentStore Store { get; }

    public override void Dispose()
    {
        Directory.Delete(_root, recursive: true);
        base.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_writer_that_died_is_waited_for_as_long_as_its_lease()
    {
        var brief = new LeasedSegmentStore(_twoSteps, _state, "silo-2", TimeSpan.FromMilliseconds(200), TimeProvider.System);
        Assert.NotNull(await _state.TryAcquireAsync(LeasedSegmentStore.RoleOf("one"), "dead", TimeSpan.FromMilliseconds(200), default));
        Assert.True(brief.TryReplaceManifest("one", null, [1], default));

        Assert.NotNull(await _state.TryAcquireAsync(LeasedSegmentStore.RoleOf("one"), "alive", TimeSpan.FromMinutes(10), default));
        Assert.Contains("another silo", Assert.ThrowsAny<IOException>(() => brief.TryReplaceManifest("one", [1], [2], default)).Message, StringComparison.Ordinal);
        Assert.True(brief.TryReplaceManifest("two", null, [1], default)); // of another collection nobody is at work
        Assert.Equal([1], brief.ReadManifest("one", default));
    }

    [Fact]
    public void A_request_that_takes_longer_than_half_of_the_lease_is_given_up()
    {
        var brief = new LeasedSegmentStore(_twoSteps, _state, "silo-2", TimeSpan.FromMilliseconds(100), TimeProvider.System);
        _twoSteps.Between = cancel =>
        {
            cancel.WaitHandle.WaitOne();
            cancel.ThrowIfCancellationRequested();
        };

        Assert.Contains("may be replaced or not", Assert.ThrowsAny<IOException>(() => brief.TryReplaceManifest("one", null, [1], default)).Message, StringComparison.Ordinal);

        _twoSteps.Between = _ => { };
        Assert.True(brief.TryReplaceManifest("one", null, [1], default)); // the lease was given back
    }

    /// <summary>A store that lets others come between comparing and replacing.</summary>
    private sealed class TwoStepStore(DirectorySegmentStore real) : ISegmentStore
    {
        public Action<CancellationToken> Between { get; set; } = _ => Thread.Yield();

        public string Name => real.Name;

        public IReadOnlyList<string> Collections(CancellationToken cancel) => real.Collections(cancel);

        public byte[]? ReadManifest(string collection, CancellationToken cancel) => real.ReadManifest(collection, cancel);

        public bool TryReplaceManifest(string collection, byte[]? before, byte[] manifest, CancellationToken cancel)
        {
            if (!ManifestFile.IsSame(real.ReadManifest(collection, cancel), before))
            {
                return false;
            }

            Between(cancel);
            while (!real.TryReplaceManifest(collection, real.ReadManifest(collection, cancel), manifest, cancel))
            {
            }

            return true;
        }

        public long? LengthOf(string collection, string file, CancellationToken cancel) => real.LengthOf(collection, file, cancel);

        public void Get(string collection, string file, IFileWriter target, CancellationToken cancel) => real.Get(collection, file, target, cancel);

        public void Put(string collection, string file, IFileReader source, CancellationToken cancel) => real.Put(collection, file, source, cancel);

        public void Delete(string collection, string file, CancellationToken cancel) => real.Delete(collection, file, cancel);

        public string? FolderOf(string collection) => real.FolderOf(collection);
    }
}
