using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;

namespace Signpost.Silo.Redis;

/// <summary>
/// The maps in Redis, the newest of each that this process has seen, and those who watch them. Everything but <see cref="WatchAsync"/> is
/// used on the thread of <see cref="RedisThread"/> alone.
/// </summary>
internal sealed class RedisMaps(RedisKeys keys, ILogger log)
{
    private readonly Lock _lock = new(); // of what watchers see
    private readonly Dictionary<string, Known> _known = [];
    private readonly Dictionary<string, List<Channel<ShardMap>>> _watchers = [];

    /// <summary>The present map; brings back what Redis has lost.</summary>
    public ShardMap? Read(RedisLink link, string collection)
    {
        while (true)
        {
            Known? known = _known.GetValueOrDefault(collection);
            Known? present = ReadPresent(link, collection, known);
            if (MapMark.Mend(present?.Mark, known?.Mark) is not { } mended)
            {
                Know(present);
                return present?.Map;
            }

            ShardMap map = (mended.Content == present?.Mark.Content ? present : known!).Map.AtVersion(mended.Version);
            if (Write(link, map, mended.Content, present?.Mark, leader: null))
            {
                log.LogWarning(
                    "Redis had {Present} of the shard map of {Collection}, older than version {Known} that was seen; restored as version {Version}",
                    present is null ? "nothing" : $"version {present.Mark.Version}", collection, known!.Mark.Version, map.Version);
            }
        }
    }

    /// <summary>Writes the next map under <paramref name="leader"/>; false when it is not the next one, or the lease is not valid.</summary>
    public bool TryWrite(RedisLink link, ShardMap map, Lease? leader)
    {
        if (Version(map.Collection) < map.Version - 1)
        {
            Read(link, map.Collection);
        }

        return Version(map.Collection) == map.Version - 1
            && Write(link, map, map.Version, _known.GetValueOrDefault(map.Collection)?.Mark, leader);
    }

    /// <summary>Names of the collections, after restoring those that Redis has lost.</summary>
    public IReadOnlyList<string> Collections(RedisLink link)
    {
        Refresh(link);
        return [.. _known.Keys.Order(StringComparer.Ordinal)];
    }

    /// <summary>Takes what is new in Redis, and restores what is missing there. A map that cannot be read does not hinder the others.</summary>
    public void Refresh(RedisLink link)
    {
        Reply[] versions = link.Call("HGETALL", keys.Versions).Items!;
        var marks = versions.Chunk(2).ToDictionary(pair => pair[0].Text!, pair => pair[1].Text!);
        foreach (string collection in marks.Keys.Union([.. _known.Keys]))
        {
            if (marks.GetValueOrDefault(collection) != _known.GetValueOrDefault(collection)?.Mark.ToString())
            {
                try
                {
                    Read(link, collection);
                }
                catch (BadFileException e)
                {
                    log.LogError("The shard map of {Collection} in Redis is ignored: {Reason}", collection, e.Message);
                }
            }
        }
    }

    /// <summary>What is known, then what comes. Never ends by itself.</summary>
    public async IAsyncEnumerable<ShardMap> WatchAsync(string collection, [EnumeratorCancellation] CancellationToken cancel)
    {
        // One place that keeps the newest: a slow watcher misses versions and nobody waits for it.
        var channel = Channel.CreateBounded<ShardMap>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        lock (_lock)
        {
            if (!_watchers.TryGetValue(collection, out List<Channel<ShardMap>>? watchers))
            {
                _watchers[collection] = watchers = [];
            }

            watchers.Add(channel);
            if (_known.TryGetValue(collection, out Known? known))
            {
                channel.Writer.TryWrite(known.Map);
            }
        }

        try
        {
            await foreach (ShardMap map in channel.Reader.ReadAllAsync(cancel).ConfigureAwait(false))
            {
                yield return map;
            }
        }
        finally
        {
            lock (_lock)
            {
                _watchers[collection].Remove(channel);
            }
        }
    }

    private long Version(string collection) => _known.GetValueOrDefault(collection)?.Mark.Version ?? 0;

    private Known? ReadPresent(RedisLink link, string collection, Known? known)
    {
        Reply reply = keys.Run(link, RedisScripts.Read, collection, known?.Mark.ToString() ?? "");
        if (reply.IsNil)
        {
            return null;
        }

        if (reply.Items!.Length == 1)
        {
            return known;
        }

        string source = $"the shard map of {collection} in Redis";
        string text = reply.Items[0].Text!;
        byte[] bytes = reply.Items[1].Bytes ?? throw new BadFileException(source, 0, "nothing", $"a map with the mark '{text}'");
        MapMark mark = ReadMark(text, source);
        ShardMap map = ShardMapCodec.Decode(bytes, source);
        return map.Collection == collection && mark == MapMark.Of(map.Version, mark.Content, bytes)
            ? new Known(map, mark)
            : throw new BadFileException(source, 0, $"version {map.Version} of {map.Collection}", $"that with the mark '{text}'");
    }

    private static MapMark ReadMark(string text, string source)
    {
        try
        {
            return MapMark.Parse(text);
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            throw new BadFileException(source, 0, $"the mark '{text}'", "two numbers and a digest");
        }
    }

    private bool Write(RedisLink link, ShardMap map, long content, MapMark? before, Lease? leader)
    {
        byte[] bytes = ShardMapCodec.Encode(map);
        var mark = MapMark.Of(map.Version, content, bytes);
        Argument[] fence = leader is null ? [] : [leader.Role, leader.Holder, leader.Epoch];
        Reply reply = keys.Run(
            link, RedisScripts.Write, [keys.Channel, map.Collection, before?.ToString() ?? "", mark.ToString(), bytes, .. fence]);
        if (reply.Number == 1)
        {
            Know(new Known(map, mark));
        }

        return reply.Number == 1;
    }

    private void Know(Known? present)
    {
        if (present is null || _known.GetValueOrDefault(present.Map.Collection)?.Mark == present.Mark)
        {
            return;
        }

        Check.That(present.Mark.Version > Version(present.Map.Collection));
        lock (_lock)
        {
            _known[present.Map.Collection] = present;
            foreach (Channel<ShardMap> watcher in _watchers.GetValueOrDefault(present.Map.Collection) ?? [])
            {
                watcher.Writer.TryWrite(present.Map);
            }
        }
    }

    private sealed record Known(ShardMap Map, MapMark Mark);
}
