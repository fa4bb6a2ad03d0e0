using Signpost.Engine.Cluster;
using Signpost.Engine.Tests.Cluster;
using Signpost.Silo.Redis;

namespace Signpost.Cluster.Tests.Contract;

/// <summary>
/// Random calls through several silos, each compared with what a dictionary and a variable for the time say. Redis loses all leases now and
/// then; the model does too, but for the highest epoch.
/// </summary>
internal sealed class LeaseModel(Random random, Silos silos, string name)
{
    private static readonly string[] Roles = ["placement", "silo/a", "silo/b"];

    private readonly RedisClusterState[] _states = [silos.Add(), silos.Add(), silos.Add()];
    private readonly Dictionary<string, (Lease Lease, int Ends, string? Note)> _valid = [];
    private readonly List<Lease> _all = []; // every lease that was ever granted
    private readonly string _collection = $"map of {name}";
    private int _now; // seconds
    private long _version;

    private static CancellationToken Never => CancellationToken.None;

    public async Task RunAsync(int steps)
    {
        for (int step = 0; step < steps; step++)
        {
            RedisClusterState state = _states[random.Next(_states.Length)];
            string what = await StepAsync(state);
            NotedLease[] expected = [.. _valid.Values.Where(v => v.Ends > _now).Select(v => new NotedLease(v.Lease, v.Note)).OrderBy(l => l.Lease.Role, StringComparer.Ordinal)];
            IReadOnlyList<NotedLease> actual = await _states[random.Next(_states.Length)].LeasesAsync("", Never);
            Assert.True(expected.SequenceEqual(actual), $"{name}, step {step}, {what}: {string.Join(", ", actual)}, expected {string.Join<NotedLease>(", ", expected)}");
            Assert.Equal(_version == 0 ? null : _version, (await state.ReadAsync(_collection, Never))?.Version);
        }
    }

    private async Task<string> StepAsync(RedisClusterState state)
    {
        int seconds = 1 + random.Next(30);
        string role = Roles[random.Next(Roles.Length)];
        Lease lease = _all.Count == 0 ? new Lease(role, "nobody", 1) : _all[Math.Max(0, _all.Count - 1 - random.Next(6))];
        bool isValid = Of(lease.Role) is { } valid && valid.Lease == lease;
        switch (random.Next(20) == 0 ? -1 : random.Next(6))
        {
            case -1:
                silos.Forget("leases", "ends", "notes", "epoch");
                _valid.Clear();
                Pass(1); // nothing comes back in no time: the clock is what keeps epochs new
                return "loss";
            case 0:
                Pass(seconds / 2);
                return "pass";
            case 1:
                Assert.Equal(isValid, await state.TryRenewAsync(lease, TimeSpan.FromSeconds(seconds), Never));
                Set(isValid, lease, seconds, Of(lease.Role)?.Note);
                return "renew";
            case 2:
                Assert.Equal(isValid, await state.TryNoteAsync(lease, $"note {seconds}", Never));
                Set(isValid, lease, (Of(lease.Role)?.Ends ?? 0) - _now, $"note {seconds}");
                return "note";
            case 3:
                await state.ReleaseAsync(lease, Never);
                Set(isValid, lease, 0, null);
                return "release";
            case 4:
                ShardMap next = TestMaps.Map(1, _version + 1 + (random.Next(8) == 0 ? 1 : 0), _collection);
                bool written = await state.TryWriteAsync(next, lease, Never);
                Assert.Equal(isValid && next.Version == _version + 1, written);
                _version += written ? 1 : 0;
                return "write";
            default:
                await AcquireAsync(state, role, seconds);
                return "acquire";
        }
    }

    private async Task AcquireAsync(RedisClusterState state, string role, int seconds)
    {
        Lease? lease = await state.TryAcquireAsync(role, $"silo {random.Next(3)}", TimeSpan.FromSeconds(seconds), Never);
        Assert.Equal(Of(role) is null, lease is not null);
        if (lease is not null)
        {
            Assert.All(_all, earlier => Assert.True(earlier.Epoch < lease.Epoch, name));
            _all.Add(lease);
            Set(true, lease, seconds, null);
        }
    }

    private void Pass(int seconds)
    {
        silos.Pass(TimeSpan.FromSeconds(seconds));
        _now += seconds;
    }

    private (Lease Lease, int Ends, string? Note)? Of(string role) => _valid.TryGetValue(role, out var last) && last.Ends > _now ? last : null;

    private void Set(bool isValid, Lease lease, int seconds, string? note)
    {
        if (isValid)
        {
            _valid[lease.Role] = (lease, _now + seconds, note);
        }
    }
}
