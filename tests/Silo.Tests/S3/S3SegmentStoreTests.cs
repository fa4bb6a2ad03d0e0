using System.Reflection;
using System.Runtime.ExceptionServices;
using Signpost.Engine.Storage;
using Signpost.Engine.Tests.Storage;
using Signpost.Silo.S3;

namespace Signpost.Silo.Tests.S3;

public class S3SegmentStoreTests
{
    public static TheoryData<string> Promises =>
    [
        .. typeof(SegmentStoreContract).GetMethods().Where(method => method.GetCustomAttribute<FactAttribute>() is not null)
            .Select(method => method.Name),
    ];

    [S3Theory]
    [MemberData(nameof(Promises))]
    public void It_keeps_what_every_store_promises(string promise)
    {
        using var store = new OnS3();
        try
        {
            typeof(SegmentStoreContract).GetMethod(promise)!.Invoke(store, null);
        }
        catch (TargetInvocationException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerException!);
        }
    }

    [S3Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void It_finds_out_whether_the_server_compares_and_replaces_in_one_step(bool hasConditions)
    {
        using var server = new S3Server(hasConditions);
        for (int process = 0; process < 2; process++) // the second finds what the first has left
        {
            using var store = new S3SegmentStore(new S3Options(S3Server.Bucket, "p") { Endpoint = server.Endpoint, CredentialsFile = server.Credentials });
            Assert.Equal(hasConditions, store.ReplacesInOneStep(default));
            Assert.Equal(process == 0, store.TryReplaceManifest("one", null, [1], default));
            Assert.True(store.TryReplaceManifest("one", [1], [1], default));
            Assert.Equal(["one"], store.Collections(default));
        }
    }

    private sealed class OnS3 : SegmentStoreContract
    {
        private readonly S3Server _server = new();
        private readonly S3SegmentStore _store;

        public OnS3() => _store = new S3SegmentStore(
            new S3Options(S3Server.Bucket, "a/prefix") { Endpoint = _server.Endpoint, CredentialsFile = _server.Credentials, PartBytes = 5 << 20 });

        protected override ISegmentStore Store => _store;

        protected override int[] Lengths => [0, 1, 1000, (5 << 20) - 1, 5 << 20, (5 << 20) + 1, (11 << 20) + 7];

        public override void Dispose()
        {
            _store.Dispose();
            _server.Dispose();
            base.Dispose();
        }
    }
}
