using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Grains.Wire;

namespace Signpost.Grains;

/// <summary>Searches of one collection: each is begun on a search thread, which goes on as soon as only other silos are awaited.</summary>
public sealed class CoordinatorGrain : ICoordinatorGrain
{
    private readonly Coordinator _coordinator;
    private readonly QueryPool _queries;
    private readonly SearchThreads _threads;
    private readonly WireLimits _limits = new();

    /// <summary>Searches of one collection.</summary>
    /// <param name="coordinator">Asks its shards.</param>
    /// <param name="queries">Of its shape.</param>
    /// <param name="threads">Search.</param>
    public CoordinatorGrain(Coordinator coordinator, QueryPool queries, SearchThreads threads)
    {
        _coordinator = coordinator;
        _queries = queries;
        _threads = threads;
    }

    /// <inheritdoc/>
    public Task<byte[]> SearchAsync(ReadOnlyMemory<byte> request, CancellationToken cancel)
    {
        WireQuery query = Message.Parse(() => QueryCodec.ReadRequest(request, _limits));
        var search = new Search(this, query, cancel);
        return _threads.TryAdd(SearchLane.OfClients, search) is { } busy ? Task.FromResult(QueryCodec.WriteAnswer(busy, default)) : search.Answer;
    }

    private async Task<byte[]> AnswerAsync(WireQuery asked, Deadline deadline, CancellationToken cancel)
    {
        Query query = _queries.Rent();
        try
        {
            var hits = new Hit[Math.Max(0, asked.Request.Parameters.K)];
            Outcome<SearchAnswer> answer = query.TrySetRow(asked.Row.Span) is { } problem
                ? problem
                : await _coordinator.SearchAsync(query, asked.Request, deadline, hits, cancel).ConfigureAwait(false);
            return QueryCodec.WriteAnswer(answer, hits);
        }
        finally
        {
            _queries.Return(query);
        }
    }

    private sealed class Search(CoordinatorGrain grain, WireQuery query, CancellationToken cancel) : ISearchWork
    {
        private readonly TaskCompletionSource<byte[]> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Deadline _deadline = query.Left is { } left ? Deadline.After(left, cancel) : Deadline.OnCancel(cancel);

        public Task<byte[]> Answer => _answer.Task;

        public void Run() => _ = RunAsync();

        private async Task RunAsync()
        {
            try
            {
                _answer.SetResult(await grain.AnswerAsync(query, _deadline, cancel).ConfigureAwait(false));
            }
            catch (Exception e)
            {
                _answer.SetException(e);
            }
        }
    }
}
