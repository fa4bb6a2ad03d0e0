using System.Numerics;

namespace Signpost.Engine.Cluster;

/// <summary>The shards of one search: which are wanted, who was asked for them, which are answered. Pooled with its <see cref="FanOut"/>.</summary>
/// <remarks>
/// A shard is wanted until a silo is asked for it, and wanted again when that fails, as long as a replica is left that was not asked. It is
/// answered by the first answer that has part in it. It is lost when no replica is left and no call for it is out.
/// </remarks>
internal sealed class OpenShards
{
    private Routes _routes = null!;
    private State[] _shards = [];
    private int[] _wanted = [];
    private int _wantedCount;
    private int _unsettled;
    private int _answered;

    /// <summary>Places of the shards that are to be asked of somebody.</summary>
    public ReadOnlySpan<int> Wanted => _wanted.AsSpan(0, _wantedCount);

    /// <summary>Whether every shard is answered or lost.</summary>
    public bool AreSettled => _unsettled == 0;

    /// <summary>Whether every shard of the map is answered.</summary>
    public bool AreAnswered => _answered == _routes.Map.Shards.Length;

    /// <summary>Forgets everything and wants all shards of <paramref name="routes"/> that are served.</summary>
    public void Restart(Routes routes)
    {
        int shards = routes.Map.Shards.Length;
        if (_shards.Length < shards)
        {
            _shards = new State[shards];
            _wanted = new int[shards];
        }

        _routes = routes;
        Array.Clear(_shards);
        _wantedCount = 0;
        _answered = 0;
        for (int shard = 0; shard < shards; shard++)
        {
            if (!routes.ReplicasOf(shard).IsEmpty)
            {
                _wanted[_wantedCount++] = shard;
            }
        }

        _unsettled = _wantedCount;
    }

    /// <summary>Adds to each silo the wanted shards for which it can be asked.</summary>
    public void CountWanted(Span<ReplicaChoice.Candidate> silos)
    {
        foreach (int shard in Wanted)
        {
            ReadOnlySpan<int> replicas = _routes.ReplicasOf(shard);
            for (int i = 0; i < replicas.Length; i++)
            {
                silos[replicas[i]].Shards += _shards[shard].IsTried(i) ? 0 : 1;
            }
        }
    }

    /// <summary>Moves the wanted shards for which the silo at <paramref name="place"/> can be asked to <paramref name="group"/>.</summary>
    public void MoveWanted(int place, SiloGroup group)
    {
        int left = 0;
        foreach (int shard in Wanted)
        {
            int replica = _routes.ReplicasOf(shard).IndexOf(place);
            if (replica < 0 || _shards[shard].IsTried(replica))
            {
                _wanted[left++] = shard;
            }
            else
            {
                _shards[shard].Tried |= 1UL << replica;
                group.Add(shard, _routes.Map.Shards[shard]);
            }
        }

        _wantedCount = left;
    }

    /// <summary>A silo is asked for <paramref name="shard"/>.</summary>
    public void Begin(int shard) => _shards[shard].InFlight++;

    /// <summary>A call for <paramref name="shard"/> has ended in whatever way.</summary>
    public void End(int shard) => _shards[shard].InFlight--;

    /// <summary>The call that answered <paramref name="shard"/>; null while none has.</summary>
    public SiloGroup? AnswerOf(int shard) => _shards[shard].Answer;

    /// <summary><paramref name="shard"/>, which was open, is answered.</summary>
    public void Answer(int shard, SiloGroup call)
    {
        _shards[shard].Answer = call;
        _unsettled--;
        _answered++;
        int wanted = Wanted.IndexOf(shard); // from another replica, when one was silent and one had failed
        if (wanted >= 0)
        {
            _wanted[wanted] = _wanted[--_wantedCount];
        }
    }

    /// <summary>A call for <paramref name="shard"/>, which is open, has ended and failed: it is wanted from another silo, or lost.</summary>
    public void Fail(int shard, bool isStale)
    {
        _shards[shard].IsStale |= isStale;
        Want(shard);
        _unsettled -= HasOther(shard) || _shards[shard].InFlight > 0 ? 0 : 1;
    }

    /// <summary>Whether <paramref name="shard"/> is open and a silo is left that was not asked for it.</summary>
    public bool HasOther(int shard) =>
        _shards[shard].Answer is null && BitOperations.PopCount(_shards[shard].Tried) < _routes.ReplicasOf(shard).Length;

    /// <summary>Wants <paramref name="shard"/> from another silo, where there is one.</summary>
    public void Want(int shard)
    {
        if (HasOther(shard) && !Wanted.Contains(shard))
        {
            _wanted[_wantedCount++] = shard;
        }
    }

    /// <summary>Whether a shard was not answered, and a silo said that it has not its codes.</summary>
    public bool IsAnyStale() => Array.Exists(_shards, shard => shard.IsStale && shard.Answer is null);

    private struct State
    {
        public ulong Tried; // bit i: the i-th replica was asked, or is about to be
        public SiloGroup? Answer;
        public int InFlight; // calls for it that have not ended
        public bool IsStale;

        public readonly bool IsTried(int replica) => ((Tried >> replica) & 1) != 0;
    }
}
