using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Silo.Telemetry;

namespace Signpost.Silo.Http;

/// <summary>The vectors of one request, their settings and, row by row as threads get to them, their answers.</summary>
internal sealed class SearchBatch
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Func<int, Query, Problem?> _bind;
    private readonly Hit[] _hits;
    private readonly SiloTelemetry _telemetry;
    private readonly RequestRecord _record;
    private int _left;

    /// <param name="collection">What is searched.</param>
    /// <param name="count">Vectors, at least 1.</param>
    /// <param name="bind">Binds the query to a row, or says why the row is refused.</param>
    /// <param name="request">How to search.</param>
    /// <param name="deadline">For all rows together.</param>
    /// <param name="telemetry">Told what each row took.</param>
    /// <param name="record">What is noted of the request.</param>
    public SearchBatch(
        IServedCollection collection, int count, Func<int, Query, Problem?> bind, SearchRequest request, Deadline deadline, SiloTelemetry telemetry,
        RequestRecord record)
    {
        (_telemetry, _record) = (telemetry, record);
        Explains = record.WantsExplain ? new ExplainReply?[count] : null;
        Collection = collection;
        Count = count;
        Request = request;
        Deadline = deadline;
        _bind = bind;
        _left = count;
        _hits = new Hit[count * request.Parameters.K];
        Answers = new Outcome<SearchAnswer>[count];
        Work = [.. Enumerable.Range(0, count).Select(row => new RowSearch(this, row))];
    }

    public IServedCollection Collection { get; }

    /// <summary>Vectors.</summary>
    public int Count { get; }

    public SearchRequest Request { get; }

    public Deadline Deadline { get; }

    /// <summary>The rows, for search threads.</summary>
    public ISearchWork[] Work { get; }

    /// <summary>Answers by row; complete when <see cref="Done"/> is.</summary>
    public Outcome<SearchAnswer>[] Answers { get; }

    /// <summary>How each row was answered; null where nobody asked for it.</summary>
    public ExplainReply?[]? Explains { get; }

    /// <summary>Ends when every row has its answer; fails when one failed unexpectedly.</summary>
    public Task Done => _done.Task;

    /// <summary>Hits of a row, ascending.</summary>
    public ReadOnlySpan<Hit> Hits(int row) => Room(row).Span[..Answers[row].Value.Count];

    private Memory<Hit> Room(int row) => _hits.AsMemory(row * Request.Parameters.K, Request.Parameters.K);

    private void Told(int row, QueryRecord record, in Outcome<SearchAnswer>? answer)
    {
        bool isCancelled = Deadline.Cancel.IsCancellationRequested;
        ExplainReply? explain = _telemetry.End(_record, record, Collection, Request, answer, isCancelled);
        if (Explains is not null)
        {
            Explains[row] = explain;
        }
    }

    private void RowEnded()
    {
        if (Interlocked.Decrement(ref _left) == 0)
        {
            _done.TrySetResult();
        }
    }

    /// <summary>One row. Its thread goes on as soon as only other silos are awaited; the last of their answers then ends the row.</summary>
    private sealed class RowSearch(SearchBatch batch, int row) : ISearchWork
    {
        public void Run() => _ = RunAsync();

        private async Task RunAsync()
        {
            Query query = batch.Collection.Queries.Rent();
            QueryRecord record = batch._telemetry.Begin(batch._record, row);
            Outcome<SearchAnswer>? answer = null;
            try
            {
                SearchRequest request = batch.Request with { Report = record.Report };
                answer = batch._bind(row, query) is { } refused
                    ? refused
                    : await batch.Collection.SearchAsync(query, request, batch.Deadline, batch.Room(row)).ConfigureAwait(false);
                batch.Answers[row] = answer.Value;
            }
            catch (Exception e)
            {
                batch._done.TrySetException(e);
            }

            batch.Collection.Queries.Return(query);
            try
            {
                batch.Told(row, record, answer);
            }
            finally
            {
                batch.RowEnded(); // whatever becomes of a line of the log
            }
        }
    }
}
