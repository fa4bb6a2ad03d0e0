using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Tests.Support;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>When a silo opens and closes what maps give and take.</summary>
public class SiloAgentTests
{
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(5);

    private readonly ManualTime _time = new();
    private readonly EmbeddedClusterState _state;
    private readonly RecordedShards _shards = new();
    private readonly SiloAgent _agent;
    private ShardMap _map = new("c", 1, TestMaps.Entries(4, "c"));

    public SiloAgentTests()
    {
        _state = new EmbeddedClusterState(_time);
        _agent = new SiloAgent(_state, "here", _shards, _time, TimeSpan.FromSeconds(10)) { Linger = Linger, Replicas = 2 };
        _state.TryWriteAsync(_map, null, default).AsTask().GetAwaiter().GetResult();
    }

    [Fact]
    public void A_shard_that_the_map_has_given_to_others_stays_open_for_queries_that_began_before_and_closes_then()
    {
        Give(1, "here");
        Step();
        Give(1, "there");
        Step();
        Assert.Equal([1], _shards.Open);
        Assert.False(_agent.IsEmpty);

        _time.Pass(Linger - TimeSpan.FromMilliseconds(1));
        Step();
        Assert.Equal([1], _shards.Open);
        _time.Pass(TimeSpan.FromMilliseconds(1));
        Step();
        Assert.Empty(_shards.Open);
        Assert.True(_agent.IsEmpty);
    }

    [Fact]
    public void A_shard_that_comes_back_meanwhile_is_not_closed()
    {
        Give(1, "here");
        Step();
        Give(1, "there");
        Step();
        _time.Pass(Linger / 2);
        Give(1, "here");
        Step();
        _time.Pass(Linger);
        Step();
        Give(1, "there");
        Step();

        Assert.Equal([1], _shards.Open);
    }

    [Fact]
    public void The_shard_of_which_the_fewest_copies_serve_is_opened_first_and_fetched_as_fast_as_can_be()
    {
        Give(0, "a", "b", "here");
        Give(2, "a", "here");
        Give(3, "here");
        Step();

        Assert.Equal([(3, true), (2, true), (0, false)], _shards.Asked);
    }

    [Fact]
    public void A_shard_that_is_being_fetched_is_given_up_when_the_map_takes_it_away()
    {
        Give(0, "a", "b", "here");
        _shards.During = _ =>
        {
            Give(0, "a", "b");
            _agent.Notice(_map);
        };
        Step();

        Assert.Empty(_shards.Open);
        Assert.Equal(1, _shards.GivenUp);
    }

    [Fact]
    public void A_shard_that_others_serve_is_given_up_for_one_that_is_missing_and_fetched_again_after_it()
    {
        Give(0, "a", "b", "here");
        _shards.During = shard =>
        {
            if (shard == 0 && _shards.GivenUp == 0)
            {
                Give(1, "a", "here");
                _agent.Notice(_map);
            }
        };
        Step();
        Assert.Equal(1, _shards.GivenUp);
        Step();

        Assert.Equal([1, 0], _shards.Open);
    }

    [Fact]
    public void A_newer_map_that_changes_nothing_for_what_is_being_fetched_does_not_disturb_it()
    {
        Give(0, "a", "b", "here");
        _shards.During = _ =>
        {
            Give(3, "a");
            _agent.Notice(_map);
        };
        Step();

        Assert.Equal([0], _shards.Open);
    }

    [Fact]
    public async Task It_has_opened_when_every_shard_that_others_miss_is_open_and_not_before_it_has_seen_a_map()
    {
        var early = new SiloAgent(new EmbeddedClusterState(_time), "here", _shards, _time, TimeSpan.FromSeconds(10)) { Replicas = 2 };
        await early.StepAsync(Work.Quiet);
        Assert.False(early.HasOpened);

        Give(0, "a", "here");
        Give(1, "a", "b", "here"); // nobody misses it
        _shards.During = shard =>
        {
            Assert.False(_agent.HasOpened);
            _agent.Notice(_map); // the step ends here, before it opens the other
        };
        Step();
        Assert.Equal([0], _shards.Open);
        Assert.True(_agent.HasOpened);
    }

    [Fact]
    public void Where_a_silo_is_asked_is_told_by_its_present_life_or_a_later_one()
    {
        Member[] members = [new(new SiloId("a", 3), new SiloNote("", "http://127.0.0.1:7801", "", 0, 0, 0, false, []))];

        Assert.Equal(7801, Member.AddressOf(members, new SiloId("a", 3))!.Port);
        Assert.Equal(7801, Member.AddressOf(members, new SiloId("a", 2))!.Port);
        Assert.Null(Member.AddressOf(members, new SiloId("a", 4))); // not heard of yet: it may be elsewhere than the life before
        Assert.Null(Member.AddressOf(members, new SiloId("b", 1)));
    }

    [Fact]
    public async Task It_tells_the_map_by_which_it_goes()
    {
        Assert.Empty(_agent.Maps);
        Give(1, "here");
        ShardMap read = _map;
        ShardMap noticed = read.AtVersion(read.Version + 1);
        _agent.Notice(noticed); // before a step it may still close by an older one
        Assert.Empty(_agent.Maps);
        _shards.During = _ =>
        {
            Assert.Equal(read.Version, _agent.Maps["c"]);
            _agent.Notice(noticed); // while it opens it closes nothing any more
            Assert.Equal(noticed.Version, _agent.Maps["c"]);
        };
        Step();
        Assert.Equal([1], _shards.Open);

        SiloAgent? late = null;
        late = new SiloAgent(_state, "here", _shards, _time, TimeSpan.FromSeconds(10)) { Seen = map => late!.Notice(map.AtVersion(map.Version + 1)) };
        for (int i = 0; i < 2; i++)
        {
            await late.StepAsync(Work.Quiet);
            Assert.Equal(read.Version, late.Maps["c"]); // what is noticed between reading and closing comes too late
        }
    }

    /// <summary>The silos that serve a shard; "here" is to open it.</summary>
    private void Give(int shard, params string[] silos)
    {
        _map = _map.WithReplicas(shard, [.. silos.Select(silo => new Replica(silo, silo == "here" ? ReplicaState.Opening : ReplicaState.Serving))]);
        Assert.True(_state.TryWriteAsync(_map, null, default).AsTask().GetAwaiter().GetResult());
    }

    private void Step() => _agent.StepAsync(Work.Quiet).AsTask().GetAwaiter().GetResult();

    private sealed class RecordedShards : ISiloShards
    {
        public List<int> Open { get; } = [];

        public List<(int Shard, bool IsUrgent)> Asked { get; } = [];

        public int GivenUp { get; private set; }

        public Action<int> During { get; set; } = _ => { };

        public IReadOnlyList<HeldShard> Held => [.. Open.Select(number => new HeldShard("c", number, [0]))];

        public long ResidentBytes => 0;

        public void Close(ShardId shard) => Open.Remove(shard.Number);

        public void Refresh(string collection, uint codesInUse, Work work)
        {
        }

        void ISiloShards.Open(ShardId shard, string lineage, bool isUrgent, Work work)
        {
            Asked.Add((shard.Number, isUrgent));
            During(shard.Number);
            if (work.Cancel.IsCancellationRequested)
            {
                GivenUp++;
                throw new OperationCanceledException(work.Cancel);
            }

            Open.Add(shard.Number);
        }
    }
}
