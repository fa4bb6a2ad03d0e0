using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Tests.Shards;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>What every <see cref="IShardClient"/> keeps. A runtime's test class derives from this one.</summary>
public abstract class ShardClientContract : ShardTest
{
    private readonly VectorBlock _vectors = Bytes(300, range: 3);
    private Collection? _collection;

    /// <summary>The silo that is asked.</summary>
    protected virtual SiloId Silo => new(EmbeddedCluster.Silo, 0);

    private ReplicaId First => new(new ShardId("test", 0), Silo);

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

        ShardAnswer answer = await client.SearchAsync(First.Silo, Of([0], query, new SearchParameters(20, 300)), Deadline.None, default);

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

        ShardAnswer answer = await client.SearchAsync(First.Silo, Of([0], query, new SearchParameters(1000, 1000)), Deadline.None, default);

        Assert.Equal(_collection!.Shards[0].Entry.Count, answer.Hits.Length);
        Assert.Distinct(answer.Hits.ToArray().Select(hit => hit.Id));
    }

    [Fact]
    public async Task Query_and_target_are_the_callers_again_when_the_call_has_returned()
    {
        IShardClient client = Serve();
        using Query query = QueryOf(3);
        Hit[] target = new Hit[5];
        ShardQuery request = Of([0], query, new SearchParameters(5, 300)) with { Target = target };
        Hit[] expected = (await client.SearchAsync(First.Silo, request, Deadline.None, default)).Hits.ToArray();

        ValueTask<ShardAnswer> call = client.SearchAsync(First.Silo, request, Deadline.None, default);
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
            (await client.SearchAsync(First.Silo, Of([0], asked, parameters), Deadline.None, default)).Refusal?.Code;

        Assert.Equal(ProblemCode.InvalidArgument, await CodeOf(query, new SearchParameters(0, 10)));
        Assert.Equal(ProblemCode.InvalidArgument, await CodeOf(query, new SearchParameters(10, 5)));
        Assert.Equal(ProblemCode.NotSupported, await CodeOf(query, new SearchParameters(10, 10, SearchMode.Codes)));
        Assert.Equal(ProblemCode.WrongDimension, await CodeOf(other, new SearchParameters(10, 10)));
    }

    [Fact]
    public async Task Several_shards_are_answered_as_one_with_the_best_of_all()
    {
        IShardClient client = Serve();
        using Query query = QueryOf(3);

        ShardAnswer answer = await client.SearchAsync(First.Silo, Of([1, 0], query, new SearchParameters(20, 300)), Deadline.None, default);

        Assert.Equal(Nearest(_vectors, _vectors.RowSpan(3), 20), answer.Hits.ToArray());
        Assert.Null(answer.Missing);
    }

    [Fact]
    public async Task Hits_of_slots_that_were_not_asked_for_are_passed_over()
    {
        IShardClient client = Serve();
        using Query query = QueryOf(3);
        SlotRange half = new(_collection!.Shards[0].Slots.From, _collection.Shards[0].Slots.To / 2);
        ShardQuery request = Of([0], query, new SearchParameters(300, 300)) with { Shards = new[] { new ShardSlots(0, half) } };

        ShardAnswer answer = await client.SearchAsync(First.Silo, request, Deadline.None, default);

        Assert.Equal(Nearest(_vectors, _vectors.RowSpan(3), 300).Where(hit => half.Owns(hit.Id)), answer.Hits.ToArray());
    }

    [Fact]
    public async Task A_shard_that_is_not_there_or_closed_is_named_and_the_others_are_answered()
    {
        IShardClient client = Serve();
        using Query query = QueryOf(3);
        SlotRange range = _collection!.Shards[0].Slots;

        ShardAnswer answer = await client.SearchAsync(First.Silo, Of([0, 9], query, new SearchParameters(20, 300)), Deadline.None, default);
        Assert.Equal(new ShardId("test", 9), Assert.Single(answer.Missing!).Shard);
        Assert.Contains("9", answer.Missing![0].Reason, StringComparison.Ordinal);
        Assert.Equal(Nearest(_vectors, _vectors.RowSpan(3), 300).Where(hit => range.Owns(hit.Id)).Take(20), answer.Hits.ToArray());

        _collection!.Dispose();
        answer = await client.SearchAsync(First.Silo, Of([0], query, new SearchParameters(1, 10)), Deadline.None, default);
        Assert.Equal(0, answer.Hits.Length);
        Assert.Contains("closed", Assert.Single(answer.Missing!).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Shards_that_the_deadline_left_no_time_for_are_named()
    {
        IShardClient client = Serve();
        using Query query = QueryOf(3);

        ShardAnswer answer = await client.SearchAsync(
            First.Silo, Of([0, 1], query, new SearchParameters(1, 10)), Deadline.After(TimeSpan.FromTicks(-1)), default);

        Assert.True(answer.Stats.DeadlineReached);
        Assert.Equal([0, 1], answer.Missing!.Select(m => m.Shard.Number));
    }

    [Fact]
    public async Task A_call_that_is_cancelled_already_ends_so()
    {
        IShardClient client = Serve();
        using Query query = QueryOf(3);
        ShardQuery request = Of([0], query, new SearchParameters(1, 10));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await client.SearchAsync(First.Silo, request, Deadline.None, new CancellationToken(canceled: true)));
    }

    [Fact]
    public async Task A_sample_is_of_the_shards_own_vectors_no_one_twice_and_the_same_for_a_seed()
    {
        IShardClient client = Serve();
        long count = _collection!.Shards[0].Entry.Count;
        foreach (int wanted in (int[])[0, 1, 40, (int)count, 1000])
        {
            using VectorBlock sample = await client.SampleAsync(First, wanted, seed: 3, default);
            using VectorBlock again = await client.SampleAsync(First, wanted, seed: 3, default);
            Assert.Equal(Math.Min(wanted, count), sample.Count);
            Assert.Equal(RowsOf(sample), RowsOf(again));
            var rows = Enumerable.Range(0, 300).Where(id => _collection.Shards[0].Slots.Owns((ulong)id)).Select(id => Convert.ToHexString(_vectors.RowSpan(id))).ToList();
            Assert.All(RowsOf(sample), row => Assert.True(rows.Remove(row)));
        }

        using VectorBlock one = await client.SampleAsync(First, 40, seed: 3, default);
        using VectorBlock other = await client.SampleAsync(First, 40, seed: 4, default);
        Assert.NotEqual(RowsOf(one), RowsOf(other));
    }

    [Fact]
    public async Task Prepared_codes_are_used_by_those_who_name_them_beside_those_in_use_until_they_are_dropped()
    {
        IShardClient client = Serve(withCodes: true);
        string second = PublishedAs(version: 2);

        string file = (await client.PrepareCodesAsync(First, second, Work.Quiet)).OrThrow();
        Assert.Equal(file, (await client.PrepareCodesAsync(First, second, Work.Quiet)).OrThrow()); // as often as one likes

        Assert.True(File.Exists(Path.Combine(Folder, file)));
        Hit[] ofFirst = (await Ask(client, version: 1)).Hits.ToArray();
        Hit[] ofSecond = (await Ask(client, version: 2)).Hits.ToArray();
        Assert.Equal(20, ofFirst.Length);
        Assert.Empty(ofFirst.Select(h => h.Distance).Intersect(ofSecond.Select(h => h.Distance)));

        await client.DropCodesAsync(First, 1, default);
        await client.DropCodesAsync(First, 1, default);
        Assert.Equal(ProblemCode.StaleVersion, (await Ask(client, version: 1)).Refusal?.Code);
        Assert.Equal(ofSecond, (await Ask(client, version: 2)).Hits.ToArray());
        Assert.Null((await Ask(client, version: 1, SearchMode.Exact)).Refusal); // it needs no codes
    }

    [Fact]
    public async Task A_shard_never_answers_with_codes_of_another_version_than_asked()
    {
        IShardClient client = Serve(withCodes: true);
        foreach (SearchMode mode in (SearchMode[])[SearchMode.Codes, SearchMode.CodesRerank])
        {
            Assert.Equal(ProblemCode.StaleVersion, (await Ask(client, version: 7, mode)).Refusal?.Code);
            Assert.Equal(ProblemCode.NotSupported, (await Ask(client, version: 0, mode)).Refusal?.Code);
            Assert.Null((await Ask(client, version: 1, mode)).Refusal);
        }
    }

    [Fact]
    public async Task A_cancelled_or_impossible_preparation_leaves_the_shard_as_it_was()
    {
        IShardClient client = Serve(withCodes: true);
        string second = PublishedAs(version: 2);
        long memory = _collection!.Info.Memory.Resident;
        string[] files = [.. NamesIn(Folder)];

        var cancelled = new Work(1, null, new CancellationToken(canceled: true));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await client.PrepareCodesAsync(First, second, cancelled));
        await Assert.ThrowsAnyAsync<IOException>(async () => await client.PrepareCodesAsync(First, "quantizer-0000000000000000.codebook", Work.Quiet));

        Assert.Equal(memory, _collection.Info.Memory.Resident);
        Assert.Equal(files, NamesIn(Folder));
        Assert.Equal(ProblemCode.StaleVersion, (await Ask(client, version: 2)).Refusal?.Code);
        Assert.Null((await Ask(client, version: 1)).Refusal);
    }

    [Fact]
    public async Task Equal_trace_requests_have_equal_answers_whatever_was_asked_between_them()
    {
        IShardClient client = Serve(withCodes: true);
        Hit[] before = (await Ask(client, version: 1)).Hits.ToArray();
        TraceRequest request = RequestOf(round: 1);

        ShardTrace first = (await client.TraceAsync(First, request, Work.Quiet)).OrThrow();
        ShardTrace otherRound = (await client.TraceAsync(First, request with { Round = 2 }, Work.Quiet)).OrThrow();
        ShardTrace scoreOnly = (await client.TraceAsync(First, request with { WithSample = false }, Work.Quiet)).OrThrow();
        ShardTrace otherQueries = (await client.TraceAsync(First, request with { TrainingQueries = 30 }, Work.Quiet)).OrThrow();
        ShardTrace again = (await client.TraceAsync(First, request, new Work(3))).OrThrow();
        await client.EndTracesAsync(First, default);
        await client.EndTracesAsync(First, default);
        ShardTrace anew = (await client.TraceAsync(First, request, Work.Quiet)).OrThrow();

        Assert.All((ShardTrace[])[again, anew], trace => Assert.Equal(Text(first), Text(trace)));
        Assert.NotEqual(Text(first), Text(otherRound));
        Assert.Equal((first.Score, null), (scoreOnly.Score, scoreOnly.Sample));
        Assert.Equal((60, 30), (first.Sample!.QueryCount, otherQueries.Sample!.QueryCount));
        Assert.Equal(first.Sample.VertexCount * 2, first.Codes.Length);
        Assert.True(first.Score is { Recall: > 0 and <= 1, Agreement: > 0 and <= 1 });
        Assert.Equal(before, (await Ask(client, version: 1)).Hits.ToArray()); // searches saw nothing of it

        static string Text(ShardTrace trace)
        {
            using var bytes = new MemoryStream();
            RoutingSampleFile.Write(trace.Sample!, bytes);
            return Convert.ToHexString([.. bytes.ToArray(), .. trace.Codes]) + trace.Score;
        }
    }

    [Fact]
    public async Task A_cancelled_trace_ends_so_and_may_be_asked_again()
    {
        IShardClient client = Serve();
        var cancelled = new Work(1, null, new CancellationToken(canceled: true));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await client.TraceAsync(First, RequestOf(round: 1), cancelled));

        Assert.NotNull((await client.TraceAsync(First, RequestOf(round: 1), Work.Quiet)).OrThrow().Sample);
    }

    [Fact]
    public async Task A_trace_for_which_the_memory_does_not_suffice_is_refused()
    {
        Serve();
        _collection!.Dispose();
        _collection = Open(new CollectionOptions { MemoryLimit = 200_000 });

        Problem? problem = (await ClientOf(_collection).TraceAsync(First, RequestOf(round: 1) with { TrainingQueries = 1 << 20 }, Work.Quiet)).Problem;

        Assert.Equal(ProblemCode.NotEnoughMemory, problem?.Code);
    }

    private TraceRequest RequestOf(ulong round) => new()
    {
        Quantizer = QuantizerTrainer.Train(QuantizerKind.Pq, _vectors, Metric.L2, new QuantizerOptions { M = 4, K = 16, Iterations = 2, Version = 9 }, Work.Quiet),
        Sampling = new SamplingOptions { L = 40, Top = 20, Negatives = 20, HopsPerQuery = 2, CandidatesPerHop = 8 },
        TrainingQueries = 60,
        HeldOutQueries = 20,
        Place = 0,
        ScoreL = 20,
        Round = round,
        WithSample = true,
    };

    private static IEnumerable<string> RowsOf(VectorBlock block) => Enumerable.Range(0, (int)block.Count).Select(row => Convert.ToHexString(block.RowSpan(row)));

    /// <summary>Asks for all slots of shards of the collection, and for all there are of a shard that it has not.</summary>
    private ShardQuery Of(int[] shards, Query query, SearchParameters parameters, uint version = 0) => new(
        "test", shards.Select(n => new ShardSlots(n, n < 2 ? _collection!.Shards[n].Slots : Slots.All)).ToArray(), query, parameters, version,
        new Hit[Math.Max(0, parameters.K)]);

    private ValueTask<ShardAnswer> Ask(IShardClient client, uint version, SearchMode mode = SearchMode.Codes)
    {
        Query query = QueryOf(3);
        return client.SearchAsync(First.Silo, Of([0], query, new SearchParameters(20, 300, mode), version), Deadline.None, default);
    }

    private string PublishedAs(uint version)
    {
        IQuantizer quantizer = QuantizerTrainer.Train(
            QuantizerKind.Opq, _vectors, Metric.L2, new QuantizerOptions { M = 3, K = 16, Iterations = 2, Version = version }, Work.Quiet);
        return PublishedQuantizer.Publish(Disk, Folder, $"quantizer-{version:x16}.codebook", quantizer).File;
    }

    private IShardClient Serve(bool withCodes = false)
    {
        var codes = new QuantizerOptions { M = 4, K = 16, Iterations = 2, TrainingVectors = 256 };
        Build(_vectors, Options(shards: 2) with { Quantizer = withCodes ? QuantizerKind.Pq : null, Codes = codes });
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
