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
