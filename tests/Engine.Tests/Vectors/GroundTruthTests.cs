using Signpost.Engine.Base;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Vectors;

public sealed class GroundTruthTests : IDisposable
{
    private static readonly uint[] Ids = [4, 9, 1, 7, 0, 2];
    private static readonly float[] Distances = [0.5f, 1, 2, 0, 0, 8];

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, byte[], bool> Files() => new()
    {
        { "a.ivecs", Samples.Ints(3, 4, 9, 1, 3, 7, 0, 2), false },
        { "a.ibin", Samples.Ints(2, 3, 4, 9, 1, 7, 0, 2), false },
        { "a.gt", [.. Samples.Ints(2, 3, 4, 9, 1, 7, 0, 2), .. Samples.Floats(Distances)], true },
        { "a.BIN", [.. Samples.Ints(2, 3, 4, 9, 1, 7, 0, 2), .. Samples.Floats(Distances)], true },
    };

    public static TheoryData<string, byte[], long> DamagedFiles() => new()
    {
        { "empty.ivecs", [], 0 },
        { "dimension differs.ivecs", Samples.Ints(1, 5, 2, 5, 1, 5), 8 },
        { "negative id.ivecs", Samples.Ints(2, 5, 6, 2, 5, -1), 20 },
        { "empty.bin", [], 0 },
        { "no query.bin", Samples.Ints(0, 3), 0 },
        { "no neighbour.bin", Samples.Ints(2, 0), 4 },
        { "short of an id.bin", Samples.Ints(2, 2, 1, 2, 3), 20 },
        { "short of a distance.gt", Samples.Ints(2, 2, 1, 2, 3, 4, 0, 0, 0), 36 },
        { "long.ibin", Samples.Ints(1, 1, 1, 0, 0), 20 },
        { "negative id.bin", Samples.Ints(2, 2, 1, 2, -3, 4), 16 },
        { "distance NaN.bin", [.. Samples.Ints(1, 2, 1, 2), .. Samples.Floats(1, float.NaN)], 20 },
        { "four billion queries.bin", Samples.Ints(-1, 65_536, 1), 12 },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void A_file_is_read_and_written_byte_for_byte(string name, byte[] content, bool withDistances)
    {
        string path = _folder.File(name, content);
        GroundTruth truth = GroundTruth.Open(path);
        Assert.Equal((2, 3, withDistances), (truth.QueryCount, truth.K, truth.HasDistances));
        Assert.Equal(Ids[..3], truth.Ids(0).ToArray());
        Assert.Equal(Ids[3..], truth.Ids(1).ToArray());
        Assert.Equal(withDistances ? Distances[3..] : [], truth.Distances(1).ToArray());

        string copy = _folder.File("copy" + name);
        new GroundTruth(3, Ids, withDistances ? Distances : null).Write(copy);
        Assert.Equal(content, File.ReadAllBytes(copy));
    }

    [Theory]
    [MemberData(nameof(DamagedFiles))]
    public void A_damaged_file_is_refused_with_path_and_offset(string name, byte[] content, long offset)
    {
        string path = _folder.File(name, content);
        BadFileException refused = Assert.Throws<BadFileException>(() => GroundTruth.Open(path));
        Assert.Equal((path, offset), (refused.Path, refused.Offset));
    }

    [Fact]
    public void A_long_file_is_read_in_pieces_and_every_row_is_checked()
    {
        const int queries = 70_000;
        const int k = 9;
        uint[] ids = [.. Enumerable.Range(0, queries * k).Select(i => (uint)i)];
        string path = _folder.File("long.ivecs");
        new GroundTruth(k, ids).Write(path);
        GroundTruth truth = GroundTruth.Open(path);
        for (int query = 0; query < queries; query++)
        {
            Assert.True(truth.Ids(query).SequenceEqual(ids.AsSpan(query * k, k)));
        }

        byte[] content = File.ReadAllBytes(path);
        long offset = 54_321L * 4 * (k + 1);
        content[offset]++;
        File.WriteAllBytes(path, content);
        Assert.Equal(offset, Assert.Throws<BadFileException>(() => GroundTruth.Open(path)).Offset);
    }

    [Fact]
    public void A_missing_file_and_an_unknown_extension_are_problems()
    {
        Assert.Equal(ProblemCode.NotFound, Refused(() => GroundTruth.Open(_folder.File("none.bin"))));
        Assert.Equal(ProblemCode.InvalidArgument, Refused(() => GroundTruth.Open(_folder.File("a.fvecs", [1]))));
        Assert.Equal(ProblemCode.InvalidArgument, Refused(() => new GroundTruth(3, Ids).Write(_folder.File("a.npy"))));
    }

    [Fact]
    public void Recall_is_the_mean_share_of_the_true_k_that_were_found()
    {
        var truth = new GroundTruth(3, Ids);
        Assert.Equal(1, truth.Recall([1, 9, 4, 2, 0, 7], 3, 3)); // the order within k does not matter
        Assert.Equal(0.5, truth.Recall([4, 9, 1, 11, 12, 13], 3, 3));
        Assert.Equal(0.5, truth.Recall([4, 9, 1, 0, 7, 2], 3, 1)); // 4 is first, 0 is not
        Assert.Equal(0.75, truth.Recall([4, 1, 9, 7, 0, 2], 3, 2)); // the third true id does not count at k = 2
        Assert.Equal(2 / 6.0, truth.Recall([4, 4, 4, 7, GroundTruth.Missing, GroundTruth.Missing], 3, 3)); // a repetition counts once
        Assert.Equal(ProblemCode.InvalidArgument, Refused(() => truth.Recall(Ids, 3, 4)));
        Assert.Equal(ProblemCode.InvalidArgument, Refused(() => truth.Recall(Ids, 3, 0)));
    }

    [Fact]
    public void A_truth_of_other_queries_or_of_another_base_is_noticed()
    {
        var truth = new GroundTruth(3, Ids);
        Assert.Null(truth.Mismatch(queryCount: 2, baseCount: 10));
        Assert.Equal(ProblemCode.InvalidArgument, truth.Mismatch(queryCount: 3, baseCount: 10)?.Code);
        Assert.Equal(ProblemCode.InvalidArgument, truth.Mismatch(queryCount: 2, baseCount: 9)?.Code);
    }

    public void Dispose() => _folder.Dispose();

    private static ProblemCode Refused(Action action) => Assert.Throws<ProblemException>(action).Problem.Code;
}
