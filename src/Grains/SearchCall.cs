using System.Buffers;
using System.Diagnostics;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Vectors;
using Signpost.Grains.Wire;

namespace Signpost.Grains;

/// <summary>A message of searches while they are searched: each is a piece of work for the search threads; the last one writes the answer.</summary>
internal sealed class SearchCall
{
    private readonly SiloShardClient _shards;
    private readonly SiloId _silo;
    private readonly WireSearch[] _searches;
    private readonly WireAnswer[] _answers;
    private readonly Hit[]?[] _rooms;
    private readonly CancellationToken _cancel;
    private readonly TaskCompletionSource<byte[]> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _left;

    private SearchCall(SiloShardClient shards, SiloId silo, WireSearch[] searches, CancellationToken cancel)
    {
        _shards = shards;
        _silo = silo;
        _searches = searches;
        _answers = new WireAnswer[searches.Length];
        _rooms = new Hit[]?[searches.Length];
        _cancel = cancel;
        _left = searches.Length;
    }

    /// <summary>Searches on <paramref name="threads"/>; what they refuse is answered so.</summary>
    public static Task<byte[]> RunAsync(SiloShardClient shards, SiloId silo, WireSearch[] searches, SearchThreads threads, CancellationToken cancel)
    {
        var call = new SearchCall(shards, silo, searches, cancel);
        for (int i = 0; i < searches.Length; i++)
        {
            Deadline deadline = searches[i].Left is { } left ? Deadline.After(left, cancel) : Deadline.OnCancel(cancel);
            if (threads.TryAdd(SearchLane.OfSilos, new Search(call, i, deadline)) is { } busy)
            {
                call._answers[i] = new WireAnswer(default, busy.ToString());
                call.OneEnded();
            }
        }

        return call._done.Task;
    }

    private void OneEnded()
    {
        if (Interlocked.Decrement(ref _left) > 0)
        {
            return;
        }

        try
        {
            _done.SetResult(SearchAnswerCodec.Write(_answers));
        }
        catch (Exception e)
        {
            _done.SetException(e);
        }

        foreach (Hit[]? room in _rooms)
        {
            if (room is not null)
            {
                ArrayPool<Hit>.Shared.Return(room);
            }
        }
    }

    private ShardAnswer Answer(int number, Deadline deadline, long added)
    {
        WireSearch search = _searches[number];
        Activity? span = search.Watch is { IsTraced: true } watch ? SearchSpans.Begin("search for silo", ActivityKind.Server, watch.Span) : null;
        span?.SetTag("signpost.silo", _silo.Name);
        span?.SetTag("signpost.queued_ms", Stopwatch.GetElapsedTime(added).TotalMilliseconds);
        try
        {
            return Answer(number, deadline, search, search.Watch?.Within(span));
        }
        finally
        {
            SearchSpans.End(span);
        }
    }

    private ShardAnswer Answer(int number, Deadline deadline, WireSearch search, SearchWatch? watch)
    {
        QueryPool? pool = _shards.QueriesOf(search.Collection);
        bool fits = pool is not null && pool.Fits(search.Dim, search.Type, search.Metric);
        Query query = fits ? pool!.Rent() : new Query(search.Dim, search.Type, search.Metric); // the shard will say what is wrong with it
        try
        {
            Hit[] room = _rooms[number] = ArrayPool<Hit>.Shared.Rent(Math.Max(0, search.Parameters.K));
            var asked = new ShardQuery(search.Collection, search.Shards, query, search.Parameters, search.CodesVersion, room, watch);
            return query.TrySetRow(search.Row.Span) is { } problem
                ? new ShardAnswer(default, default, null, problem)
                : _shards.SearchAsync(_silo, asked, deadline, _cancel).GetAwaiter().GetResult(); // ended when it returns
        }
        finally
        {
            if (fits)
            {
                pool!.Return(query);
            }
            else
            {
                query.Dispose();
            }
        }
    }

    private sealed class Search(SearchCall call, int number, Deadline deadline) : ISearchWork
    {
        private readonly long _added = Stopwatch.GetTimestamp();

        public void Run()
        {
            try
            {
                call._answers[number] = new WireAnswer(call.Answer(number, deadline, _added));
            }
            catch (Exception e)
            {
                call._answers[number] = new WireAnswer(default, e.Message);
            }

            call.OneEnded();
        }
    }
}
