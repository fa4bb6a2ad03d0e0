using Signpost.Silo.Tests.Support;

namespace Signpost.Cluster.Tests.Processes;

/// <summary>A collection of twelve shards whose files are large enough to be moved slowly; made once for all tests of moves.</summary>
public sealed class ElasticCollection : IDisposable
{
    public const string Name = "demo";
    public const int Shards = 12;

    private readonly TestFolder _folder = new();

    public ElasticCollection()
    {
        Run made = SignpostProcess.Run(
            _folder, "demo", "--folder", ".", "--count", "2400", "--dim", "1024", "--shards", $"{Shards}", "--m", "8", "--build-l", "32", "--threads", "2", "--json");
        Assert.Equal(0, made.ExitCode);
        Bytes =
        [
            .. Enumerable.Range(0, Shards).Select(shard => new DirectoryInfo(_folder.At(Name)).EnumerateFiles($"shard-{shard:0000}-*").Sum(file => file.Length)),
        ];
    }

    public string Root => _folder;

    /// <summary>Of the files of each shard.</summary>
    public long[] Bytes { get; }

    /// <summary>The first <paramref name="count"/> query vectors.</summary>
    public float[][] QueryVectors(int count)
    {
        using var reader = new BinaryReader(File.OpenRead(_folder.At("queries.fvecs")));
        return [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, reader.ReadInt32()).Select(_ => reader.ReadSingle()).ToArray())];
    }

    public void Dispose() => _folder.Dispose();
}
