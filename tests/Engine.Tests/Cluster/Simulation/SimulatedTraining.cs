using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Search;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Cluster.Simulation;

/// <summary>A trainer in a simulated process: the real one, which waits at every call for its next turn, so that anything may happen in between.</summary>
internal sealed class SimulatedTraining
{
    private readonly Queue<TaskCompletionSource> _turns = [];
    private Task<string?>? _running;

    public SimulatedTraining(string name, SimulatedCluster cluster, FaultyState state)
    {
        var options = new TrainerOptions { Lease = SimulatedCluster.LeaseTime, AttemptsMax = 40 };
        Trainer = new Trainer(
            state, name, new FaultyStore(cluster.Store, state), null!, new Shards(cluster, state, Turn), options, cluster.Time, new Waits(this));
    }

    public Trainer Trainer { get; }

    /// <summary>The trainer goes on until its next wait; a process that has died does not.</summary>
    public void Step()
    {
        SynchronizationContext? context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null); // what goes on does so here, before this returns
        try
        {
            GoOn();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    private void GoOn()
    {
        if (_running is null)
        {
            _running = Trainer.RunAsync(default).AsTask();
        }
        else if (_turns.TryDequeue(out TaskCompletionSource? turn))
        {
            turn.SetResult();
        }

        if (_running.IsCompleted)
        {
            Task<string?> ended = _running;
            _running = null;
            _turns.Clear();
            ended.GetAwaiter().GetResult();
        }
    }

    private Task Turn()
    {
        var turn = new TaskCompletionSource(); // goes on where it is ended
        _turns.Enqueue(turn);
        return turn.Task;
    }

    private sealed class Waits(SimulatedTraining training) : TrainingWaits
    {
        public override async ValueTask<T> For<T>(ValueTask<T> call)
        {
            T result = await call.ConfigureAwait(false);
            await training.Turn().ConfigureAwait(false);
            return result;
        }

        public override async ValueTask Pause(TimeSpan time, CancellationToken cancel) => await training.Turn().ConfigureAwait(false);
    }

    /// <summary>Asks the shards of other simulated processes, as long as they live and have the epoch that is meant.</summary>
    private sealed class Shards(SimulatedCluster cluster, FaultyState state, Func<Task> turn) : IShardClient
    {
        public string? Here => null;

        public ValueTask<ShardAnswer> SearchAsync(SiloId silo, ShardQuery query, Deadline deadline, CancellationToken cancel) => throw new NotSupportedException();

        public ValueTask<VectorBlock> SampleAsync(ReplicaId replica, int count, ulong seed, CancellationToken cancel)
        {
            SiloOf(replica);
            return new ValueTask<VectorBlock>(Make(count, seed));
        }

        public ValueTask<Outcome<ShardTrace>> TraceAsync(ReplicaId replica, TraceRequest request, Work work) => throw new NotSupportedException();

        public ValueTask EndTracesAsync(ReplicaId replica, CancellationToken cancel) => ValueTask.CompletedTask;

        public async ValueTask<Outcome<string>> PrepareCodesAsync(ReplicaId replica, string quantizerFile, Work work)
        {
            await turn().ConfigureAwait(false);
            work.Cancel.ThrowIfCancellationRequested();
            return SiloOf(replica).Shards.PrepareCodes(replica.Shard, quantizerFile);
        }

        public ValueTask DropCodesAsync(ReplicaId replica, uint codesVersion, CancellationToken cancel)
        {
            SiloOf(replica).Shards.DropCodes(replica.Shard, codesVersion);
            return ValueTask.CompletedTask;
        }

        private SimulatedSilo SiloOf(ReplicaId replica)
        {
            state.MustLive();
            return cluster.Silos.GetValueOrDefault(replica.Silo.Name) is { IsFrozen: false } silo && silo.Lease.WhyNot(replica.Silo) is null
                ? silo
                : throw new IOException($"{replica.Silo} does not answer");
        }

        private static unsafe VectorBlock Make(int count, ulong seed)
        {
            VectorBlock block = VectorBlock.Allocate(count, 8, ElementType.Float32);
            var random = new Seeded(seed, 2);
            for (long row = 0; row < count; row++)
            {
                for (int i = 0; i < 8; i++)
                {
                    ((float*)block.Row(row))[i] = random.Next(1000);
                }
            }

            return block;
        }
    }
}
