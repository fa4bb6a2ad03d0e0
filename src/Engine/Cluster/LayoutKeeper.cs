using Signpost.Engine.Base;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Cluster;

/// <summary>
/// Keeps the shards of all collections within limits, where a leader has it do so: one change at a time, the next one when queries have
/// turned to the last. Whatever a leader began and did not finish is found again by looking: files by their names, the rest in the manifest.
/// </summary>
/// <param name="state">Where the maps are.</param>
/// <param name="siteOf">Where the shards of a collection are changed.</param>
/// <param name="limits">How large shards may be.</param>
/// <param name="settle">How long queries must have turned before the files of former shards are removed.</param>
/// <param name="time">Only its monotonic clock is used.</param>
public sealed class LayoutKeeper(IClusterState state, Func<string, LayoutSite> siteOf, LayoutLimits limits, TimeSpan settle, TimeProvider time)
{
    private readonly Dictionary<string, (long Version, long At)> _turned = [];

    /// <summary>Does the next thing that there is to do for each collection; one of which it cannot be done does not hold up the others.</summary>
    /// <param name="manifests">The collections, as the store has them now.</param>
    /// <param name="memory">Bytes that building a segment may use, asked anew for each.</param>
    /// <param name="say">Told what was done, for the operator.</param>
    /// <param name="work">Threads, progress, cancellation.</param>
    /// <exception cref="IOException">The state or the disk cannot be reached, or what was to be done for some collections cannot be done.</exception>
    public async ValueTask StepAsync(IEnumerable<CollectionManifest> manifests, Func<long> memory, Action<string> say, Work work)
    {
        var failures = new List<string>();
        foreach (CollectionManifest manifest in manifests)
        {
            try
            {
                if (await StepAsync(manifest, memory(), work).ConfigureAwait(false) is { } done)
                {
                    say(done);
                }
            }
            catch (Exception e) when (e is ProblemException or BadFileException or UnauthorizedAccessException or IOException)
            {
                failures.Add(e.Message);
            }
        }

        if (failures.Count > 0)
        {
            throw new IOException(string.Join("; ", failures.Distinct()));
        }
    }

    /// <summary>Does the next thing that there is to do for a collection, which may take long.</summary>
    /// <param name="manifest">The collection, as the store has it now.</param>
    /// <param name="memory">Bytes that building a segment may use.</param>
    /// <param name="work">Threads, progress, cancellation.</param>
    /// <returns>What was done, for the operator; null where nothing was.</returns>
    /// <exception cref="IOException">The state or the disk cannot be reached, or a file is damaged.</exception>
    /// <exception cref="ProblemException">It cannot be done, for example for want of memory, or another writer is at work.</exception>
    public async ValueTask<string?> StepAsync(CollectionManifest manifest, long memory, Work work)
    {
        string name = manifest.Name;
        ShardMap? map = await state.ReadAsync(name, work.Cancel).ConfigureAwait(false);
        if (limits.AreOff || map is null || !HasTurned(map, manifest))
        {
            _turned.Remove(name);
            return null;
        }

        if (!_turned.TryGetValue(name, out (long Version, long At) since) || since.Version != (manifest.Layout?.Changes ?? 0))
        {
            _turned[name] = since = (manifest.Layout?.Changes ?? 0, time.GetTimestamp());
        }

        if (limits.Next(manifest) is not null)
        {
            LayoutResult done = siteOf(name).Change(now => new Outcome<LayoutChange?>(limits.Next(now), null), memory, work).OrThrow();
            return done.Added.Count == 0 ? null : $"{name}: shards {Words(done.Replaced)} became {Words(done.Added)}";
        }

        if (manifest.Replaced.Count > 0 && time.GetElapsedTime(since.At) >= settle)
        {
            siteOf(name).Forget(work).OrThrow();
            return $"{name}: the files of former shards {Words(manifest.Replaced)} are gone";
        }

        return null;
    }

    private static bool HasTurned(ShardMap map, CollectionManifest manifest) =>
        map.Coming.IsEmpty && LayoutPlan.IsOf(map, manifest) && LayoutPlan.HasLayoutOf(map, manifest);

    private static string Words(IReadOnlyList<ManifestShard> shards) => string.Join(", ", shards.Select(shard => shard.Id));
}
