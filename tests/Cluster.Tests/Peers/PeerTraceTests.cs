using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using Signpost.Client.Wire;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Grains.Wire;

namespace Signpost.Cluster.Tests.Peers;

/// <summary>What a silo tells of a search that another one asked for.</summary>
public sealed class PeerTraceTests : PeerTest
{
    [Fact]
    public async Task A_traced_search_goes_on_in_the_silo_that_is_asked()
    {
        var spans = new ConcurrentBag<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == SearchSpans.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Add,
        };
        ActivitySource.AddActivityListener(listener);
        var parent = new ActivityContext(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded, "vendor=7");
        ShardQuery query = Asked(3, new SearchParameters(10, 40)) with { Watch = new SearchWatch(parent, WantsShards: false) };

        ShardAnswer answer = await Client.SearchAsync(Silo.Id, query, default, default).AsTask().WaitAsync(Hang);

        Activity[] ours = [.. spans.Where(span => span.TraceId == parent.TraceId)];
        Activity there = Assert.Single(ours, span => span.OperationName == "search for silo");
        Assert.Equal((parent.SpanId, true, "vendor=7"), (there.ParentSpanId, there.HasRemoteParent, there.TraceStateString));
        Activity[] shards = [.. ours.Where(span => span.OperationName == "search shard")];
        Assert.Equal(2, shards.Length);
        Assert.All(shards, span => Assert.Equal(there.SpanId, span.ParentSpanId));
        Assert.Equal(answer.Stats.Hops, shards.Sum(span => (long)span.GetTagItem("signpost.hops")!));
        Assert.Null(answer.Work);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("00-00000000000000000000000000000000-b7ad6b7169203331-01")]
    public void A_span_that_is_none_is_refused(string parent)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(output);
        writer.WriteArrayHeader(3);
        writer.Write(true);
        writer.Write(parent);
        writer.WriteNil();
        Assert.Throws<MessagePackException>(() =>
        {
            var reader = new MessagePackReader(output.WrittenSpan);
            WatchCodec.Read(ref reader);
        });
    }

    [Fact]
    public async Task A_silo_tells_what_each_shard_did_to_those_who_ask()
    {
        ShardQuery query = Asked(3, new SearchParameters(10, 40)) with { Watch = new SearchWatch(default, WantsShards: true) };

        ShardAnswer answer = await Client.SearchAsync(Silo.Id, query, default, default).AsTask().WaitAsync(Hang);

        Assert.Equal([0, 1], answer.Work!.Select(shard => shard.Shard).Order());
        Assert.Equal(answer.Stats.Hops, answer.Work!.Sum(shard => shard.Stats.Hops));
        Assert.Equal(answer.Stats.DistanceComputations, answer.Work!.Sum(shard => shard.Stats.DistanceComputations));
        Assert.All(answer.Work!, shard => Assert.True(shard.Took > TimeSpan.Zero));
        Assert.Null((await SearchAsync(Client, Silo.Id)).Work);
    }
}
