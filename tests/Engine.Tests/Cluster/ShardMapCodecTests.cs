using System.Buffers.Binary;
using System.Collections.Immutable;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Shards;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>A map that was written is read as it was; nothing else is taken for a map.</summary>
public class ShardMapCodecTests
{
    private static readonly ShardMap Small = new(
        "docs", 300,
        [
            new ShardEntry(
                new ShardId("docs", 7), new SlotRange(0, 4), 1000,
                [new Replica("a", ReplicaState.Serving, null, 5), new Replica("b", ReplicaState.Unavailable, "disk", 6)]),
            new ShardEntry(new ShardId("docs", 0), new SlotRange(4, Slots.Count), 0, [new Replica("b", ReplicaState.Opening, null, 6, Given: 299)]),
        ],
        codesVersion: 3,
        [new ShardEntry(new ShardId("docs", 9), new SlotRange(4, Slots.Count), 0, [new Replica("c", ReplicaState.Serving, null, 7)])],
        "9f3");

    [Fact]
    public void A_map_of_the_format_before_coming_shards_is_read()
    {
        byte[] old = Convert.FromHexString("534D01" + "01" + "0463303031" + "00" + "00" + "01" + "0380800164" + "00");
        ShardMap read = ShardMapCodec.Decode([.. old, .. BitConverter.GetBytes(Crc32C.Compute(old))], "test");

        Assert.Equal(("c001", 1L, "", 0), (read.Collection, read.Version, read.Lineage, read.Coming.Length));
        Assert.Equal("c001/3 SlotRange { From = 0, To = 16384, Count = 16384 } 100 ", Text(Assert.Single(read.Shards)));
    }

    [Fact]
    public void A_map_of_the_format_before_replicas_told_when_they_were_given_is_read()
    {
        byte[] old = Convert.FromHexString("534D02" + "01" + "0463303031" + "00" + "00" + "01" + "016105" + "01" + "0380800164" + "01" + "0000" + "00");
        ShardMap read = ShardMapCodec.Decode([.. old, .. BitConverter.GetBytes(Crc32C.Compute(old))], "test");

        Assert.Equal(new Replica("a", ReplicaState.Opening, null, 5), Assert.Single(Assert.Single(read.Shards).Replicas));
    }

    [Fact]
    public void The_bytes_are_those_of_the_documented_layout() => Assert.Equal(
        "534D03" + "AC02" + "04646F6373" + "03" + "03396633" // version 300, "docs", codes 3, lineage "9f3"
        + "03" + "016105" + "016206" + "016307" // silos: a of epoch 5, b of epoch 6, c of epoch 7
        + "02" + "0704E80702" + "0002" + "0105046469736B00" // shard 7: 4 slots, 1000 vectors, 2 replicas; "disk", given long ago
        + "00FC7F0001" + "0100AB02" // shard 0: 16,380 slots, none, 1 replica, given by map 299
        + "01" + "04" + "09FC7F0001" + "0202" // coming from slot 4: shard 9, 16,380 slots, none, 1 replica
        + Crc(ShardMapCodec.Encode(Small)),
        Convert.ToHexString(ShardMapCodec.Encode(Small)));

    [Fact]
    public void A_map_in_which_nothing_was_just_given_is_written_as_the_version_before_reads_it()
    {
        ShardMap map = Small.WithReplicas(0, new Replica("b", ReplicaState.Opening, null, 6));
        byte[] bytes = ShardMapCodec.Encode(map);

        Assert.Equal([2, 3], [bytes[2], ShardMapCodec.Encode(Small)[2]]);
        Assert.Equal(map.Shards.Select(Text), ShardMapCodec.Decode(bytes, "test").Shards.Select(Text));
    }

    [Fact]
    public void Every_map_is_read_as_it_was_written()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            ShardMap map = Any(new Random(seed));
            byte[] bytes = ShardMapCodec.Encode(map);
            ShardMap read = ShardMapCodec.Decode(bytes, "test");

            Assert.Equal((map.Collection, map.Version, map.CodesVersion, map.Vectors), (read.Collection, read.Version, read.CodesVersion, read.Vectors));
            Assert.Equal(map.Shards.Select(Text), read.Shards.Select(Text));
            Assert.Equal(map.Coming.Select(Text), read.Coming.Select(Text));
            Assert.Equal(map.Lineage, read.Lineage);
            Assert.Equal(bytes, ShardMapCodec.Encode(read));
        }
    }

    [Fact]
    public void A_map_of_ten_thousand_shards_with_two_replicas_is_small()
    {
        byte[] bytes = ShardMapCodec.Encode(Large());

        Assert.InRange(bytes.Length, 1, 200_000);
        Assert.Equal(10_000, ShardMapCodec.Decode(bytes, "test").Shards.Length);
    }

    [Fact]
    public void Cut_or_flipped_bytes_are_refused_with_their_source()
    {
        byte[] good = ShardMapCodec.Encode(Small);
        for (int i = 0; i < good.Length; i++)
        {
            Assert.Equal("the source", Assert.Throws<BadFileException>(() => ShardMapCodec.Decode(good.AsSpan(0, i), "the source")).Path);
            for (int bit = 0; bit < 8; bit++)
            {
                byte[] bad = [.. good];
                bad[i] ^= (byte)(1 << bit);
                Assert.Throws<BadFileException>(() => ShardMapCodec.Decode(bad, "the source"));
            }
        }

        Assert.Throws<BadFileException>(() => ShardMapCodec.Decode([.. good, 0], "the source"));
    }

    [Fact]
    public void A_later_format_is_named()
    {
        byte[] bytes = ShardMapCodec.Encode(Small);
        bytes[2]++;

        Assert.Contains("format 4", Assert.Throws<BadFileException>(() => ShardMapCodec.Decode(bytes, "test")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_content_under_a_right_checksum_is_refused_or_a_map_but_never_anything_else()
    {
        byte[] good = ShardMapCodec.Encode(Small);
        int refused = 0;
        for (int i = 3; i < good.Length - 4; i++)
        {
            foreach (byte value in (ReadOnlySpan<byte>)[0, 1, 2, 5, 127, 128, 255, (byte)(good[i] + 1)])
            {
                byte[] bad = [.. good];
                bad[i] = value;
                BinaryPrimitives.WriteUInt32LittleEndian(bad.AsSpan(bad.Length - 4), Crc32C.Compute(bad.AsSpan(0, bad.Length - 4)));
                try
                {
                    ShardMapCodec.Decode(bad, "test");
                }
                catch (BadFileException e)
                {
                    refused++;
                    Assert.InRange(e.Offset, 0, bad.Length);
                }
            }
        }

        Assert.InRange(refused, 100, int.MaxValue);
    }

    private static ShardMap Large() => new(
        "docs", 1,
        [
            .. Slots.Split(10_000).Select((slots, i) => new ShardEntry(
                new ShardId("docs", i), slots, 100_000 + i,
                [
                    new Replica($"silo-{i % 100}.silos.example", ReplicaState.Serving, null, 1_790_000_000_000_000 + (i % 100)),
                    new Replica($"silo-{(i + 7) % 100}.silos.example", ReplicaState.Serving, null, 1_790_000_000_000_000 + ((i + 7) % 100)),
                ])),
        ]);

    private static ShardMap Any(Random random)
    {
        string collection = random.Next(2) == 0 ? "docs" : "Bücher 本";
        ImmutableArray<Replica> Replicas() =>
        [
            .. Enumerable.Range(0, random.Next(4)).Select(_ => Replica((ReplicaState)random.Next(3))),
        ];
        Replica Replica(ReplicaState state) => new(
            $"silo {random.Next(5)}", state, random.Next(3) == 0 ? $"reason ü {random.Next()}" : null, random.NextInt64(3),
            state == ReplicaState.Serving ? 0 : random.NextInt64(1000));
        return new ShardMap(
            collection,
            1 + random.NextInt64(random.Next(2) == 0 ? 200 : long.MaxValue),
            [
                .. Slots.Split(1 + random.Next(40)).Select((slots, i) =>
                    new ShardEntry(new ShardId(collection, 1000 - i), slots, random.NextInt64(1L << random.Next(1, 40)), Replicas())),
            ],
            (uint)random.NextInt64(uint.MaxValue),
            [
                .. Slots.Split(8).Where(_ => random.Next(3) == 0).Select((slots, i) =>
                    new ShardEntry(new ShardId(collection, 2000 + i), slots, random.NextInt64(1000), Replicas())),
            ],
            random.Next(2) == 0 ? "" : $"{random.Next():x}");
    }

    private static string Text(ShardEntry shard) =>
        $"{shard.Id} {shard.Slots} {shard.Vectors} {string.Join(", ", shard.Replicas)}";

    private static string Crc(byte[] bytes) => Convert.ToHexString(bytes.AsSpan(bytes.Length - 4));
}
