using System.Text;
using System.Text.Json;
using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Storage;

public class ManifestTests
{
    private const string File = "c/" + CollectionManifest.FileName;
    private const int BodyOffset = 65; // see docs/formats.md

    private static readonly CollectionManifest Good = new(
        "photos-2", 128, ElementType.UInt8, Metric.L2, 32, 700, new ManifestQuantizer("q1.quantizer", new CodesInfo(QuantizerKind.Pq, 32, 256, 1)),
        [new(0, 0, 8192, "shard-0.segment", 300, "shard-0.codes"), new(1, 8192, 16_384, "shard-1.segment", 400, "shard-1.codes")], new BuildInfo(7, 100, 500, "0.1.0"),
        new BuildCost(12.5, 23.75));

    /// <summary>Shard 0 of <see cref="Good"/> has become 2 and 3.</summary>
    private static readonly CollectionManifest Split = Good with
    {
        Shards =
        [
            new(2, 0, 4096, "shard-0.segment", 100, "shard-0.codes", new SegmentExtent(0, 8192, 300)),
            new(3, 4096, 8192, "shard-0.segment", 200, "shard-0.codes", new SegmentExtent(0, 8192, 300)),
            Good.Shards[1],
        ],
        Layout = new ManifestLayout(Good.Lineage, 1, [Good.Shards[0]]),
    };

    public static TheoryData<string> WrongNames =>
        ["", ".", "..", "../x", "a/b", "a\\b", "/etc/passwd", "c:x", ".hidden", "a b", "a\n", "\na", "é", new string('a', 129), "x\0y", "-x"];

    [Fact]
    public void What_is_saved_is_opened()
    {
        CollectionManifest bare = Good with { Quantizer = null, Count = 5, Shards = [new(3, 0, 16_384, "one", 5)], Type = ElementType.Float16, Metric = Metric.Cosine, Cost = null };
        foreach (CollectionManifest manifest in new[] { Good, bare })
        {
            var disk = new FaultyDisk();
            Assert.Null(ManifestFile.Save(disk, "c", manifest));
            CollectionManifest opened = ManifestFile.Open(disk, "c").OrThrow();
            Assert.Equal(manifest.Shards, opened.Shards);
            Assert.Equal(manifest, opened with { Shards = manifest.Shards });
        }
    }

    [Fact]
    public void The_file_is_JSON_that_people_and_tools_can_read()
    {
        using JsonDocument json = JsonDocument.Parse(Bytes(Good));
        JsonElement manifest = json.RootElement.GetProperty("manifest");
        Assert.Equal(BodyOffset, Encoding.UTF8.GetString(Bytes(Good)).IndexOf("{\"name\"", StringComparison.Ordinal));
        Assert.Equal("photos-2", manifest.GetProperty("name").GetString());
        Assert.Equal("UInt8", manifest.GetProperty("type").GetString());
        Assert.Equal(8192, manifest.GetProperty("shards")[1].GetProperty("slotFrom").GetInt32());
        Assert.Equal(256, manifest.GetProperty("quantizer").GetProperty("info").GetProperty("k").GetInt32());
    }

    [Fact]
    public void Any_flipped_bit_is_refused()
    {
        byte[] good = Bytes(Good);
        for (int bit = 0; bit < 8 * good.Length; bit++)
        {
            byte[] bad = [.. good];
            bad[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.InRange(Refused(bad).Offset, 0, bit / 8);
        }
    }

    [Fact]
    public void A_manifest_cut_anywhere_or_with_more_behind_it_is_refused()
    {
        byte[] good = Bytes(Good);
        for (int length = 0; length < good.Length; length++)
        {
            Refused(good[..length]);
        }

        Refused([.. good, (byte)'\n']);
        Refused([.. good, .. good]);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{\"name\":null}")]
    public void Foreign_content_with_a_right_checksum_is_refused(string body) => Assert.InRange(Refused(Sealed(body)).Offset, BodyOffset, BodyOffset + body.Length);

    [Theory]
    [InlineData("\"dim\":128", "\"dim\":\"128\"")]
    [InlineData("\"dim\":128", "\"dim\":0")]
    [InlineData("\"dim\":128", "\"dim\":99999999999")]
    [InlineData("\"dim\":128", "\"dim\":128,\"more\":1")]
    [InlineData("\"type\":\"UInt8\"", "\"type\":\"UInt7\"")]
    [InlineData("\"type\":\"UInt8\"", "\"type\":17")]
    [InlineData("\"metric\":\"L2\"", "\"metric\":3")]
    [InlineData("\"k\":256", "\"k\":255")]
    [InlineData("\"m\":32", "\"m\":129")]
    [InlineData("\"kind\":\"Pq\"", "\"kind\":0")]
    [InlineData("\"count\":700", "\"count\":701")]
    [InlineData("\"count\":300", "\"count\":-300")]
    [InlineData("\"slotTo\":8192", "\"slotTo\":8191")]
    [InlineData("\"slotFrom\":8192", "\"slotFrom\":8191")]
    [InlineData("\"slotTo\":16384", "\"slotTo\":16385")]
    [InlineData("\"slotTo\":16384", "\"slotTo\":16383")]
    [InlineData("\"id\":1", "\"id\":0")]
    [InlineData("\"id\":1", "\"id\":-1")]
    [InlineData("shard-1.segment", "shard-0.segment")]
    [InlineData("shard-1.segment", "SHARD-0.SEGMENT")]
    [InlineData("shard-1.segment", "../shard-1.segment")]
    [InlineData("shard-1.segment", "q1.quantizer")]
    [InlineData("shard-1.segment", "manifest.json")]
    [InlineData("shard-1.segment", "shard-1.tmp")]
    [InlineData("q1.quantizer", "/q1")]
    [InlineData("shard-1.codes", "../shard-1.codes")]
    [InlineData("shard-1.codes", "shard-0.codes")]
    [InlineData("\"shard-1.codes\"", "null")]
    [InlineData("{\"file\":\"q1.quantizer\",\"info\":{\"kind\":\"Pq\",\"m\":32,\"k\":256,\"version\":1}}", "null")]
    [InlineData("\"version\":1", "\"version\":0")]
    [InlineData("[{\"id\":0", "[null,{\"id\":0")]
    [InlineData("\"seconds\":12.5", "\"seconds\":-12.5")]
    [InlineData("\"cpuSeconds\":23.75", "\"cpuSeconds\":null")]
    public void A_value_out_of_range_is_refused(string from, string to)
    {
        string body = Body(Good);
        Assert.Contains(from, body);
        int at = body.LastIndexOf(from, StringComparison.Ordinal);
        Refused(Sealed(string.Concat(body.AsSpan(0, at), to, body.AsSpan(at + from.Length))));
    }

    [Fact]
    public void What_building_took_may_be_absent()
    {
        string body = Body(Good);
        var disk = new FaultyDisk { [File] = Sealed(body[..body.IndexOf(",\"cost\"", StringComparison.Ordinal)] + "}") };
        Assert.Null(ManifestFile.Open(disk, "c").OrThrow().Cost);
    }

    [Fact]
    public void The_crafted_files_of_these_tests_are_valid_but_for_what_is_crafted()
    {
        var disk = new FaultyDisk { [File] = Sealed(Body(Good)) };
        Assert.Equal(Good.Name, ManifestFile.Open(disk, "c").OrThrow().Name);
    }

    [Theory]
    [MemberData(nameof(WrongNames))]
    public void No_name_leads_out_of_the_folder(string name)
    {
        ManifestShard shard = new(0, 0, 16_384, name, 700);
        foreach (CollectionManifest manifest in new[] { Good with { Name = name }, Good with { Shards = [shard] }, Good with { Quantizer = Good.Quantizer! with { File = name } } })
        {
            var disk = new FaultyDisk();
            Assert.Equal(ProblemCode.InvalidArgument, ManifestFile.Save(disk, "c", manifest)?.Code);
            Assert.Equal(0, disk.Steps);
        }
    }

    [Fact]
    public void A_folder_without_a_manifest_is_a_problem_and_no_exception() =>
        Assert.Equal(ProblemCode.NotFound, ManifestFile.Open(new FaultyDisk(), "c").Problem?.Code);

    [Fact]
    public void A_crash_while_saving_leaves_the_old_manifest_or_the_new_one()
    {
        var healthy = new FaultyDisk { [File] = Bytes(Good) };
        CollectionManifest changed = Good with { Name = "changed" };
        ManifestFile.Save(healthy, "c", changed);
        for (int stop = 1; stop <= healthy.Steps; stop++)
        {
            var disk = new FaultyDisk { [File] = Bytes(Good), StopAt = stop };
            Assert.Throws<IOException>(() => ManifestFile.Save(disk, "c", changed));
            foreach (Loss loss in FaultyDisk.Losses)
            {
                Assert.Contains(ManifestFile.Open(disk.AfterCrash(loss), "c").OrThrow().Name, new[] { Good.Name, changed.Name });
            }
        }
    }

    [Fact]
    public void A_manifest_of_an_older_version_is_refused_with_what_to_do()
    {
        string older = Encoding.UTF8.GetString(Bytes(Good)).Replace("\"format\":2", "\"format\":1", StringComparison.Ordinal);
        BadFileException e = Refused(Encoding.UTF8.GetBytes(older));
        Assert.Contains("got format 1, expected 2; an older version wrote it: build the collection again", e.Message);
    }

    [Fact]
    public void A_manifest_with_a_layout_has_a_format_of_its_own_and_no_other_does()
    {
        byte[] bytes = Bytes(Split);
        Assert.StartsWith("{\"signpost\":\"manifest\",\"format\":3,", Encoding.UTF8.GetString(bytes), StringComparison.Ordinal);
        CollectionManifest read = ManifestFile.Parse(bytes, File);
        Assert.True(read.IsSame(Split));
        Assert.Equal(Good.Lineage, read.Lineage);
        Assert.NotEqual(Good.Lineage, (Good with { Shards = [Good.Shards[0] with { Segment = "other" }, Good.Shards[1]] }).Lineage);
        Assert.Equal(bytes, ManifestFile.Format(read));
        Assert.DoesNotContain("layout", Encoding.UTF8.GetString(Bytes(Good)), StringComparison.Ordinal);
        foreach (byte[] good in new[] { bytes, Bytes(Good) })
        {
            byte[] bad = [.. good];
            bad[32] ^= 1; // the format
            Assert.Equal(32, Refused(bad).Offset);
        }

        for (int bit = 0; bit < 8 * bytes.Length; bit += 3)
        {
            byte[] bad = [.. bytes];
            bad[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.InRange(Refused(bad).Offset, 0, bit / 8);
        }
    }

    [Fact]
    public void Parts_of_segments_and_former_shards_must_fit_together()
    {
        Assert.Null(Split.Validate());
        ManifestShard half = Split.Shards[0];
        Assert.NotNull(Half(half with { Whole = half.Whole! with { SlotTo = 4000 } })); // not within its segment
        Assert.NotNull(Half(half with { Whole = half.Whole! with { Count = 299 } })); // the other half says otherwise
        Assert.NotNull(Half(half with { Codes = "other.codes" }));
        Assert.NotNull(Half(half with { Id = 0 })); // a former shard's number
        Assert.NotNull(Half(half with { Whole = new SegmentExtent(0, 4096, 100) })); // a part that is all of it
        Assert.NotNull((Split with { Layout = null }).Validate());
        Assert.NotNull((Split with { Layout = Split.Layout! with { Changes = 0 } }).Validate());
        Assert.NotNull((Split with { Layout = Split.Layout! with { Lineage = "" } }).Validate());
        Assert.NotNull((Split with { Layout = Split.Layout! with { Replaced = [Good.Shards[1] with { Id = 9, Segment = "q1.quantizer" }] } }).Validate());

        Problem? Half(ManifestShard changed) => (Split with { Shards = [changed, .. Split.Shards.Skip(1)] }).Validate();
    }

    [Fact]
    public void Two_manifests_are_compared_by_what_they_say()
    {
        CollectionManifest Copy() => Good with { Shards = [.. Good.Shards] };
        CollectionManifest trained = Copy() with { Quantizer = Good.Quantizer! with { File = "q2" }, Shards = [.. Good.Shards.Select(s => s with { Codes = $"n{s.Id}" })] };
        Assert.True(Good.IsSame(Copy()));
        Assert.False(Good.IsSame(trained));
        Assert.True(Good.IsSameButCodes(trained));
        Assert.False(Good.IsSameButCodes(Copy() with { Shards = [.. Good.Shards.Select(s => s with { Segment = $"n{s.Id}" })] }));
        Assert.False(Good.IsSameButCodes(Copy() with { Metric = Metric.Cosine }));
    }

    [Fact]
    public void A_segment_that_is_not_the_one_of_the_manifest_is_refused()
    {
        ManifestShard shard = Good.Shards[1];
        var right = new SegmentInfo(400, 128, ElementType.UInt8, Metric.L2, 32, 9, 8192, 16_384, Good.Build);
        Good.MustMatch(shard, "s", right);
        SegmentInfo[] wrong =
        [
            right with { Count = 399 },
            right with { Dim = 127 },
            right with { Type = ElementType.Int8 },
            right with { Metric = Metric.Cosine },
            right with { R = 31 },
            right with { SlotFrom = 0 },
            right with { SlotTo = 16_383 },
        ];
        foreach (SegmentInfo info in wrong)
        {
            Assert.Equal("s", Assert.Throws<BadFileException>(() => Good.MustMatch(shard, "s", info)).Path);
        }
    }

    private static byte[] Bytes(CollectionManifest manifest)
    {
        var disk = new FaultyDisk();
        Assert.Null(ManifestFile.Save(disk, "c", manifest));
        return disk[File];
    }

    private static string Body(CollectionManifest manifest) => Encoding.UTF8.GetString(Bytes(manifest)[BodyOffset..^2]);

    private static byte[] Sealed(string body) => Encoding.UTF8.GetBytes(
        $"{{\"signpost\":\"manifest\",\"format\":2,\"crc32c\":\"{Crc32C.Compute(Encoding.UTF8.GetBytes(body)):x8}\",\"manifest\":{body}}}\n");

    private static BadFileException Refused(byte[] file)
    {
        var disk = new FaultyDisk { [File] = file };
        BadFileException e = Assert.Throws<BadFileException>(() => ManifestFile.Open(disk, "c"));
        Assert.Equal(Path.Combine("c", CollectionManifest.FileName), e.Path);
        Assert.Equal(0, disk.OpenHandles);
        return e;
    }
}
