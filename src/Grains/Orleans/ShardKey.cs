using System.Globalization;
using Signpost.Engine.Cluster;

namespace Signpost.Grains.Orleans;

/// <summary>Key of the grain of a copy: <c>collection/shard/silo</c>. None of the three has a slash in it.</summary>
/// <param name="Shard">The shard.</param>
/// <param name="Silo">Name of the silo that holds the copy.</param>
public readonly record struct ShardKey(ShardId Shard, string Silo)
{
    /// <summary>Reads what <see cref="ToString"/> wrote; null where it is something else.</summary>
    public static ShardKey? Parse(string key)
    {
        string[] parts = key.Split('/');
        return parts.Length == 3 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? new ShardKey(new ShardId(parts[0], number), parts[2])
            : null;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Shard.Collection}/{Shard.Number}/{Silo}");
}
