using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>Many searches at once on real threads and a real clock, over silos of which one is frozen, one fails now and then, two are well.</summary>
public class CoordinatorThreadsTests
{
    private const int K = 10;
    private static readonly string[] Replicas = ["frozen a b", "shaky b", "a b", "b frozen", "shaky frozen a"];
    private static readonly ShardMap Map = new("test", 1, [.. TestMaps.MapOfSilos(Replicas.Length).Shards.Select((shard, i) =>
        shard with { Replicas = [.. Replicas[i].Split(' ').Select(silo => new Replica(silo, ReplicaState.Serving))] })]);

    [Fact]
    public async Task Every_answer_is_whole_and_no_failure_is_unobserved()
    {
        string message = $"shaky {Guid.NewGuid()}";
        var unobserved = new ConcurrentBag<string>();
        EventHandler<UnobservedTaskExceptionEventArgs> note = (_, e) => unobserved.Add(e.Exception.ToString());
        TaskScheduler.UnobservedTaskException += note;
        try
        {
            await SearchOften(message);
            for (int i = 0; i < 3; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= note;
        }

        Assert.DoesNotContain(unobserved, text => text.Contains(message, StringComparison.Ordinal));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task SearchOften(string message)
    {
        var client = new Client(message);
        var coordinator = new Coordinator(Map, client);
        Hit[] expected = [.. HitsOf(Enumerable.Range(0, Replicas.Length)).Take(K)];
        await Parallel.ForEachAsync(Enumerable.Range(0, 600), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (_, cancel) =>
        {
            using var query = new Query(1, ElementType.Float32, Metric.L2);
            var hits = new Hit[K];
            var request = new SearchRequest(new SearchParameters(K, K), RequireFull: true);
            (await coordinator.SearchAsync(query, request, Deadline.After(TimeSpan.FromMinutes(5), cancel), hits, cancel)).OrThrow();
            Assert.Equal(expected, hits);
        });
        Assert.True(coordinator.Retries > 0 && coordinator.Hedges > 0 && coordinator.Failures > 0);
        while (client.Frozen > 0)
        {
            await Task.Delay(1); // every call that was given up has been cancelled, and hears of it now
        }
    }

    private static IEnumerable<Hit> HitsOf(IEnumerable<int> shards) => Enumerable.Range(0, 400).Select(id => new Hit((ulong)id, id * 37 % 101))
        .Where(hit => shards.Contains(Map.ShardOf(hit.Id).Id.Number)).Order();

    private sealed class Client(string message) : IShardClient
    {
        private int _calls;
        private int _frozen;

        public int Frozen => Volatile.Read(ref _frozen);

        public string? Here => null;

        public ValueTask<ShardAnswer> SearchAsync(SiloId silo, ShardQuery query, Deadline deadline, CancellationToken cancel)
        {
            int[] shards = [.. query.Shards.ToArray().Select(shard => shard.Number)];
            var random = new Seeded((ulong)Interlocked.Increment(ref _calls), 3);
            return silo.Name switch
            {
                "frozen" => Freeze(cancel),
                "shaky" when random.Next(3) == 0 => throw new IOException(message),
                "shaky" => Answer(shards, 1 + random.Next(2), random.Next(3) == 0),
                _ => Answer(shards, random.Next(3), false),
            };
        }

        public ValueTask<VectorBlock> SampleAsync(ReplicaId replica, int count, ulong seed, CancellationToken cancel) => throw new NotSupportedException();

        public ValueTask<Outcome<string>> PrepareCodesAsync(ReplicaId replica, string quantizerFile, Work work) => throw new NotSupportedException();

        public ValueTask<Outcome<ShardTrace>> TraceAsync(ReplicaId replica, TraceRequest request, Work work) => throw new NotSupportedException();

        public ValueTask EndTracesAsync(ReplicaId replica, CancellationToken cancel) => throw new NotSupportedException();

        public ValueTask DropCodesAsync(ReplicaId replica, uint codesVersion, CancellationToken cancel) => throw new NotSupportedException();

        private async ValueTask<ShardAnswer> Freeze(CancellationToken cancel)
        {
            Interlocked.Increment(ref _frozen);
            try
            {
                await Task.Delay(Timeout.Infinite, cancel);
                return default;
            }
            finally
            {
                Interlocked.Decrement(ref _frozen);
            }
        }

        private async ValueTask<ShardAnswer> Answer(int[] shards, int delayMs, bool fails)
        {
            if (delayMs > 0)
            {
                await Task.Delay(delayMs);
            }

            return fails ? throw new IOException(message) : new ShardAnswer(HitsOf(shards).Take(K).ToArray(), default);
        }
    }
}
