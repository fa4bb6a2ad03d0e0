using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Tests.Shards;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>What every <see cref="IShardClient"/> keeps. A runtime's test class derives from this one.</summary>
public abstract class ShardClientContract : ShardTest
{
    private static readonly ShardId First = new("test", 0);

    private readonly VectorBlock _vectors = Bytes(300, range: 3);
    private Collection? _collection;

    /// <summary>A client of a silo that serves <paramref name="collection"/>.</summary>
    protected abstract IShardClient ClientOf(Collection collection);

    public override void Dispose()
    {
        _collection?.Dispose();
        _vectors.Dispose();
        base.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task An_answer_is_ascending_and_holds_the_vectors_of_its_shard_only()
    {
        IShardClient client = Serve();
        using Query query = QueryOf(3);
        SlotRange range = _collection!.Shards[0].Slots;

        ShardAnswer answer = await client.SearchAsync(First, new ShardQuery(query, new SearchParameters(20, 300), new Hit[20]), Deadline.None, default);

        Assert.Null(answer.Refusal);
        Assert.Equal(
            Nearest(_vectors, _vectors.RowSpan(3), 300).Where(hit => range.Owns(hit.Id)).Take(20), answer.Hits.ToArray());
        Assert.True(answer.Stats.Hops > 0);
    }

    [Fact]
    public async Task K_beyond_the_vectors_of_the_shard_gives_all_of_them_once()
    {
        IShardClient client = Serve();
        using Query query = QueryOf(3);

        ShardAnswer answer = await client.SearchAsync(First, new ShardQuery(query, new SearchParameters(1000, 1000), new Hit[1000]), Deadline.None, default);

        Assert.Equal(_collection!.Shards[0].Entry.Count, answer.Hits.Length);
        Assert.Distinct(answer.Hits.ToArray().Select(hit => hit.Id));
    }

    [Fact]
    public async Task Query_and_target_are_the_callers_again_when_the_call_has_returned()
    {
        IShardClient client = Serve();
        using Query query = QueryOf(3);
        Hit[] target = new Hit[5];
        ShardQuery request = new(query, new SearchParameters(5, 300), target);
        Hit[] expected = (await client.SearchAsync(First, request, Deadline.None, default)).Hits.ToArray();

        ValueTask<ShardAnswer> call = client.SearchAsync(First, request, Deadline.None, default);
        query.SetRow(_vectors.RowSpan(77));
        if (!call.IsCompleted)
        {
            Array.Fill(target, new Hit(ulong.MaxValue, float.NaN));
        }

        Assert.Equal(expected, (await call).Hits.ToArray());
    }

    [Fact]
    public async Task Bad_input_is_refused_with_a_problem()
    {
        IShardClient client = Serve();
        using Query query = QueryOf(3);
        using var other = new Query(Dim + 1, ElementType.UInt8, Metric.L2);

        async Task<ProblemCode?> CodeOf(Query asked, SearchParameters parameters) =>
            (await client.SearchAsync(First, new ShardQuery(asked, parameters, new Hit[10]), Deadline.None, default)).Refusal?.Code;

        Assert.Equal(ProblemCode.InvalidArgument, await CodeOf(query, new SearchParameters(0, 10)));
        Assert.Equal(ProblemCode.InvalidArgument, await CodeOf(query, new SearchParameters(10, 5)));
        Assert.Equal(ProblemCode.NotSupported, await CodeOf(query, new SearchParameters(10, 10, SearchMode.Codes)));
        Assert.Equal(ProblemCode.WrongDimension, await CodeOf(other, new SearchParameters(10, 10)));
    }

    [Fact]
    public async Task A_shard_that_is_not_there_or_closed_is_an_exception_that_says_so()
    {
        IShardClient client = Serve();
        using Query query = QueryOf(3);
        ShardQuery request = new(query, new SearchParameters(1, 10), new Hit[1]);

        Exception missing = await Assert.ThrowsAnyAsync<Exception>(async () => await client.SearchAsync(new ShardId("test", 9), request, Deadline.None, default));
        Assert.Contains("9", missing.Message);

        _collection!.Dispose();
        Exception closed = await Assert.ThrowsAnyAsync<Exception>(async () => await client.SearchAsync(First, request, Deadline.None, default));
        Assert.Contains("closed", closed.Message);
    }

    [Fact]
    public async Task A_call_that_is_cancelled_already_ends_so()
    {
        IShardClient client = Serve();
        using Query query = QueryOf(3);
        ShardQuery request = new(query, new SearchParameters(1, 10), new Hit[1]);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await client.SearchAsync(First, request, Deadline.None, new CancellationToken(canceled: true)));
    }

    private IShardClient Serve()
    {
        Build(_vectors, Options(shards: 2));
        _collection = Open();
        return ClientOf(_collection);
    }

    private Query QueryOf(long row)
    {
        Query query = _collection!.NewQuery();
        query.SetRow(_vectors.RowSpan(row));
        return query;
    }
}

/// <summary>The embedded runtime keeps the contract.</summary>
public class EmbeddedShardClientTests : ShardClientContract
{
    protected override IShardClient ClientOf(Collection collection) => new EmbeddedShardClient(collection);
}
