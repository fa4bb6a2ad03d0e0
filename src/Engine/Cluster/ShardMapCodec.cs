using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using Signpost.Engine.Base;
using Signpost.Engine.Shards;

namespace Signpost.Engine.Cluster;

/// <summary>
/// A <see cref="ShardMap"/> as bytes, for runtimes whose state is outside of the process. The same map gives the same bytes; about 9
/// bytes a shard and 2 a replica.
/// </summary>
/// <remarks>
/// Layout: 'S' 'M' and the format version (1 byte each), then numbers as LEB128 (7 bits a byte, low bits first), texts as their
/// length in bytes and UTF-8:
/// <code>
/// version, collection, codes version, lineage
/// count of silos;  each: name, epoch                          those that hold replicas, in the order of their first use
/// count of shards; each: number, slots, vectors, count of replicas; each: index of the silo, state * 2 + (1 with a reason), [reason], [given]
/// count of coming shards; each: first slot, and as above
/// CRC-32C of all before it (4 bytes, little-endian)
/// </code>
/// A shard begins at the slot where the one before it ends, so a map that decodes has no gap and no overlap. A replica that serves was not given
/// anew, and says nothing of it. Format 2 is a map in which no replica says when it was given, and is written so: silos of the version before can read a
/// cluster that is at rest. Format 1, which is read as well, has neither lineage nor coming shards.
/// </remarks>
public static class ShardMapCodec
{
    private const byte Format = 3;
    private const byte FormatWithComing = 2;
    private const byte FirstFormat = 1;
    private const int HeaderBytes = 3;
    private const int CrcBytes = sizeof(uint);
    private const long MostVectors = 1L << 48; // of a shard; the sum over all shards still fits

    private static readonly int States = Enum.GetValues<ReplicaState>().Length;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The bytes of <paramref name="map"/>.</summary>
    public static byte[] Encode(ShardMap map)
    {
        var silos = new Dictionary<SiloId, int>();
        foreach (ShardEntry shard in map.AllShards)
        {
            foreach (Replica replica in shard.Replicas)
            {
                silos.TryAdd(replica.Id, silos.Count);
            }
        }

        var writer = new Writer();
        bool hasGiven = map.AllShards.SelectMany(shard => shard.Replicas).Any(replica => replica.Given > 0);
        writer.Raw([(byte)'S', (byte)'M', hasGiven ? Format : FormatWithComing]);
        writer.Number(map.Version);
        writer.Text(map.Collection);
        writer.Number(map.CodesVersion);
        writer.Text(map.Lineage);
        writer.Number(silos.Count);
        foreach (SiloId silo in silos.Keys) // a dictionary that nothing was removed from keeps the order of insertion
        {
            writer.Text(silo.Name);
            writer.Number(silo.Epoch);
        }

        writer.Number(map.Shards.Length);
        foreach (ShardEntry shard in map.Shards)
        {
            Write(ref writer, shard, silos, hasGiven);
        }

        writer.Number(map.Coming.Length);
        foreach (ShardEntry shard in map.Coming)
        {
            writer.Number(shard.Slots.From);
            Write(ref writer, shard, silos, hasGiven);
        }

        Span<byte> crc = stackalloc byte[CrcBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(crc, Crc32C.Compute(writer.Written));
        writer.Raw(crc);
        return writer.Written.ToArray();
    }

    /// <summary>The map that <paramref name="bytes"/> hold.</summary>
    /// <param name="bytes">What <see cref="Encode"/> gave.</param>
    /// <param name="source">Where they are from, for the exception.</param>
    /// <exception cref="BadFileException">They are cut, flipped, of another version or no map; the offset is that of the first wrong byte.</exception>
    public static ShardMap Decode(ReadOnlySpan<byte> bytes, string source)
    {
        if (bytes.Length < HeaderBytes + CrcBytes || bytes[0] != 'S' || bytes[1] != 'M')
        {
            throw new BadFileException(source, 0, $"{bytes.Length} bytes that begin otherwise", "a shard map: 'S', 'M', a version");
        }

        if (bytes[2] is < FirstFormat or > Format)
        {
            throw new BadFileException(source, 2, $"format {bytes[2]}", $"format {Format}: is another version of Signpost running?");
        }

        ReadOnlySpan<byte> content = bytes[..^CrcBytes];
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[^CrcBytes..]) != Crc32C.Compute(content))
        {
            throw new BadFileException(source, content.Length, "another CRC-32C", "that of the bytes before it");
        }

        var reader = new Reader(content, source, hasGiven: bytes[2] == Format);
        long version = reader.Number(1, long.MaxValue, "a version from 1");
        string collection = reader.Text();
        var codes = (uint)reader.Number(0, uint.MaxValue, "a version of codes");
        bool hasComing = bytes[2] >= FormatWithComing;
        string lineage = hasComing ? reader.Text() : "";
        SiloId[] silos = new SiloId[reader.Count()];
        foreach (ref SiloId silo in silos.AsSpan())
        {
            silo = new SiloId(reader.Text(), reader.Number(0, long.MaxValue, "an epoch"));
        }

        var numbers = new HashSet<int>();
        ImmutableArray<ShardEntry> shards = Shards(ref reader, collection, silos, numbers);
        ImmutableArray<ShardEntry> coming = hasComing ? Coming(ref reader, collection, silos, numbers) : [];
        return reader.AtEnd ? new ShardMap(collection, version, shards, codes, coming, lineage) : throw reader.Bad("more bytes", "the end of the map");
    }

    private static void Write(ref Writer writer, ShardEntry shard, Dictionary<SiloId, int> silos, bool hasGiven)
    {
        writer.Number(shard.Id.Number);
        writer.Number(shard.Slots.Count);
        writer.Number(shard.Vectors);
        writer.Number(shard.Replicas.Length);
        foreach (Replica replica in shard.Replicas)
        {
            writer.Number(silos[replica.Id]);
            writer.Number(((int)replica.State * 2) + (replica.Reason is null ? 0 : 1));
            if (replica.Reason is not null)
            {
                writer.Text(replica.Reason);
            }

            if (hasGiven && replica.State != ReplicaState.Serving)
            {
                writer.Number(replica.Given);
            }
        }
    }

    private static ImmutableArray<ShardEntry> Shards(ref Reader reader, string collection, SiloId[] silos, HashSet<int> numbers)
    {
        var shards = ImmutableArray.CreateBuilder<ShardEntry>(reader.Count());
        int slot = 0;
        for (int i = 0; i < shards.Capacity; i++)
        {
            shards.Add(Shard(ref reader, collection, silos, numbers, slot));
            slot = shards[i].Slots.To;
        }

        return slot == Slots.Count ? shards.MoveToImmutable() : throw reader.Bad($"{slot} slots", $"{Slots.Count}");
    }

    private static ImmutableArray<ShardEntry> Coming(ref Reader reader, string collection, SiloId[] silos, HashSet<int> numbers)
    {
        var shards = ImmutableArray.CreateBuilder<ShardEntry>(reader.Count());
        int slot = 0;
        for (int i = 0; i < shards.Capacity; i++)
        {
            slot = (int)reader.Number(slot, Slots.Count - 1, "a slot after the shard before");
            shards.Add(Shard(ref reader, collection, silos, numbers, slot));
            slot = shards[i].Slots.To;
        }

        return shards.MoveToImmutable();
    }

    private static ShardEntry Shard(ref Reader reader, string collection, SiloId[] silos, HashSet<int> numbers, int slot)
    {
        var number = (int)reader.Number(0, int.MaxValue, "a number of a shard");
        if (!numbers.Add(number))
        {
            throw reader.Bad($"shard {number} again", "every shard once");
        }

        var slots = (int)reader.Number(1, Slots.Count - slot, "slots that no other shard has");
        long vectors = reader.Number(0, MostVectors, "a number of vectors");
        return new ShardEntry(new ShardId(collection, number), new SlotRange(slot, slot + slots), vectors, Replicas(ref reader, silos));
    }

    private static ImmutableArray<Replica> Replicas(ref Reader reader, SiloId[] silos)
    {
        var replicas = ImmutableArray.CreateBuilder<Replica>(reader.Count());
        for (int i = 0; i < replicas.Capacity; i++)
        {
            SiloId silo = silos[(int)reader.Number(0, silos.Length - 1, "the index of a silo")];
            long number = reader.Number(0, (States * 2) - 1, "the state of a replica");
            var state = (ReplicaState)(number / 2);
            string? reason = number % 2 == 0 ? null : reader.Text();
            long given = reader.HasGiven && state != ReplicaState.Serving ? reader.Number(0, long.MaxValue, "a version") : 0;
            replicas.Add(new Replica(silo.Name, state, reason, silo.Epoch, given));
        }

        return replicas.MoveToImmutable();
    }

    private readonly ref struct Writer()
    {
        private readonly ArrayBufferWriter<byte> _bytes = new(1024);

        public ReadOnlySpan<byte> Written => _bytes.WrittenSpan;

        public void Raw(ReadOnlySpan<byte> bytes) => _bytes.Write(bytes);

        public void Number(long value)
        {
            Check.That(value >= 0);
            Span<byte> to = _bytes.GetSpan(10);
            int length = 0;
            for (; value >= 128; value >>= 7)
            {
                to[length++] = (byte)(value | 128);
            }

            to[length++] = (byte)value;
            _bytes.Advance(length);
        }

        public void Text(string text)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            Number(bytes.Length);
            Raw(bytes);
        }
    }

    private ref struct Reader(ReadOnlySpan<byte> bytes, string source, bool hasGiven)
    {
        public readonly bool HasGiven = hasGiven;

        private readonly ReadOnlySpan<byte> _bytes = bytes;
        private int _at = HeaderBytes;

        public readonly bool AtEnd => _at == _bytes.Length;

        public long Number(long min, long max, string expected)
        {
            ulong value = 0;
            for (int shift = 0; shift < 63; shift += 7)
            {
                if (AtEnd)
                {
                    throw Bad("the end", expected);
                }

                byte next = _bytes[_at++];
                value |= (ulong)(next & 127) << shift;
                if (next < 128)
                {
                    return (long)value >= min && (long)value <= max ? (long)value : throw Bad($"{value}", $"{expected} ({min} .. {max})");
                }
            }

            throw Bad("more than 63 bits", expected);
        }

        /// <summary>How many things follow: each has at least one byte, so no room is made for more than there can be.</summary>
        public int Count() => (int)Number(0, _bytes.Length - _at, "a count");

        public string Text()
        {
            int length = Count();
            if (length > _bytes.Length - _at)
            {
                throw Bad("the end", $"a text of {length} bytes");
            }

            try
            {
                _at += length;
                return Utf8.GetString(_bytes.Slice(_at - length, length));
            }
            catch (DecoderFallbackException)
            {
                throw Bad("other bytes", "UTF-8");
            }
        }

        public readonly BadFileException Bad(string got, string expected) => new(source, _at, got, expected);
    }
}
