using System.Diagnostics;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Tests.Shards;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Cluster;

public sealed class SearchSpansTests : ShardTest
{
    private const int Count = 200;

    [Fact]
    public void A_traced_search_is_told_shard_by_shard_with_its_work()
    {
        using VectorBlock vectors = Bytes(Count);
        Build(vectors, Options(shards: 3));
        using Collection collection = Open();
        using Query query = collection.NewQuery();
        query.SetRow(vectors.RowSpan(0));
        using var heard = new HeardSpans();
        Activity.Current = null;
        using Activity root = SearchSpans.Begin("root", ActivityKind.Server, default)!;
        var report = new CallReports { Watch = new SearchWatch(root.Context, WantsShards: true) };

        SearchAnswer answer = EmbeddedCluster.Over(collection)
            .Search(query, new SearchRequest(new SearchParameters(5, 40), Report: report), Deadline.None, new Hit[5]).Value;
        SearchSpans.End(root);

        Assert.Null(Activity.Current); // whatever was begun and ended
        Activity[] spans = heard.Of(root.TraceId);
        Activity call = Assert.Single(spans, span => span.OperationName == "ask silo");
        Assert.Equal(root.SpanId, call.ParentSpanId);
        Activity[] shards = [.. spans.Where(span => span.OperationName == "search shard")];
        Assert.Equal([0, 1, 2], shards.Select(span => (int)span.GetTagItem("signpost.shard")!).Order());
        Assert.All(shards, span => Assert.Equal(call.SpanId, span.ParentSpanId));
        Assert.Equal(answer.Stats.Hops, shards.Sum(span => (long)span.GetTagItem("signpost.hops")!));
        Assert.Equal(answer.Stats.DistanceComputations, shards.Sum(span => (long)span.GetTagItem("signpost.distance_computations")!));

        IReadOnlyList<ShardWork> work = Assert.Single(report.Calls.ToArray()).Work!;
        Assert.Equal([0, 1, 2], work.Select(shard => shard.Shard).Order());
        Assert.Equal(answer.Stats.Hops, work.Sum(shard => shard.Stats.Hops));
    }

    [Fact]
    public void A_search_that_is_not_traced_has_no_spans_though_somebody_listens()
    {
        using VectorBlock vectors = Bytes(Count);
        Build(vectors, Options(shards: 1));
        using Collection collection = Open();
        using Query query = collection.NewQuery();
        query.SetRow(vectors.RowSpan(0));
        using var heard = new HeardSpans();
        using Activity current = new Activity("another").SetIdFormat(ActivityIdFormat.W3C).Start();
        var report = new CallReports();

        EmbeddedCluster.Over(collection).Search(query, new SearchRequest(new SearchParameters(5, 40), Report: report), Deadline.None, new Hit[5]).OrThrow();

        Assert.Empty(heard.Of(current.TraceId));
        Assert.Null(Assert.Single(report.Calls.ToArray()).Work);
    }

    private sealed class HeardSpans : IDisposable
    {
        private readonly List<Activity> _spans = [];
        private readonly ActivityListener _listener;

        public HeardSpans()
        {
            _listener = new ActivityListener
            {
                ShouldListenTo = source => source.Name == SearchSpans.SourceName,
                Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = span =>
                {
                    lock (_spans)
                    {
                        _spans.Add(span);
                    }
                },
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public Activity[] Of(ActivityTraceId trace)
        {
            lock (_spans)
            {
                return [.. _spans.Where(span => span.TraceId == trace)];
            }
        }

        public void Dispose() => _listener.Dispose();
    }
}
