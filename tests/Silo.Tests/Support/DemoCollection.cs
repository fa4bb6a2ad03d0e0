using System.Text.Json;

namespace Signpost.Silo.Tests.Support;

/// <summary>A small collection that the demo made, with the files it came from; made once for all tests that only read it.</summary>
public class DemoCollection : IDisposable
{
    public const int Count = 2000;
    public const int Dim = 16;
    public const int QueryCount = 1000;

    private readonly TestFolder _folder = new();

    public DemoCollection()
        : this(shards: 2)
    {
    }

    protected DemoCollection(int shards)
    {
        Result = SignpostProcess.Run(
            _folder, "demo", "--folder", ".", "--count", $"{Count}", "--dim", $"{Dim}", "--shards", $"{shards}", "--m", "8", "--threads", "2", "--json");
    }

    /// <summary>The run that made it.</summary>
    internal Run Result { get; }

    /// <summary>What the run printed.</summary>
    public JsonElement Json => JsonDocument.Parse(Result.Output).RootElement;

    public string Root => _folder;

    public string Collection => _folder.At("demo");

    public string Base => _folder.At("base.fvecs");

    public string Queries => _folder.At("queries.fvecs");

    public void Dispose()
    {
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The first <paramref name="count"/> query vectors.</summary>
    public float[][] QueryVectors(int count) => Read(Queries, count);

    /// <summary>The ids of the <paramref name="k"/> nearest base vectors of each query, by comparing with all.</summary>
    public int[][] Truth(float[][] queries, int k)
    {
        float[][] all = Read(Base, Count);
        return [.. queries.Select(q => Enumerable.Range(0, Count).OrderBy(i => q.Zip(all[i], (a, b) => (a - b) * (a - b)).Sum()).Take(k).ToArray())];
    }

    private static float[][] Read(string file, int count)
    {
        using var reader = new BinaryReader(File.OpenRead(file));
        float[][] vectors = new float[count][];
        for (int i = 0; i < count; i++)
        {
            vectors[i] = new float[reader.ReadInt32()];
            for (int j = 0; j < vectors[i].Length; j++)
            {
                vectors[i][j] = reader.ReadSingle();
            }
        }

        return vectors;
    }
}

[CollectionDefinition(Name)]
public sealed class UsesDemoCollection : ICollectionFixture<DemoCollection>
{
    public const string Name = "uses the demo's collection";
}
