using System.Text.Json;
using Signpost.Engine.Tests.Tidy;

namespace Signpost.Engine.Tests.Peers;

/// <summary>The drivers of bench/Peers still build, run and find what an exhaustive search finds: benchmarks must not rot.</summary>
public sealed class PeerDriverTests : IDisposable
{
    private const int Count = 1000, QueryCount = 50, K = 10;
    private readonly string _folder = Directory.CreateTempSubdirectory("signpost-peers-").FullName;

    [PeerFact("hnswlib")]
    public void Hnswlib_finds_the_nearest_and_both_integer_metrics_walk_the_same_way()
    {
        WriteSet(dim: 101); // not a multiple of any vector width

        JsonElement[] systems = RunPeers("hnswlib-float,hnswlib-uint8,hnswlib-uint8simd");

        Assert.Equal(3, systems.Length);
        Assert.All(systems, system => Assert.InRange(LastRecall(system), 0.99, 1));
        Assert.Equal(Walks(systems[1]), Walks(systems[2]));
        Assert.All(Walks(systems[1]), walk => Assert.InRange(walk.Computations, K, 2 * Count)); // upper levels ask again
    }

    [PeerFact("faiss")]
    public void Faiss_finds_the_nearest_on_vectors_and_on_codes_with_exact_distances_after()
    {
        WriteSet(dim: 96);

        JsonElement[] systems = RunPeers("faiss-flat,faiss-pq16");

        Assert.Equal(["exact", "codes+rerank"], systems.Select(system => system.GetProperty("points")[0].GetProperty("search").GetString()));
        Assert.All(systems, system => Assert.InRange(LastRecall(system), 0.99, 1));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static double LastRecall(JsonElement system) => system.GetProperty("points").EnumerateArray().Last().GetProperty("recall_at_10").GetDouble();

    private static (double Recall, double Computations)[] Walks(JsonElement system) =>
        [.. system.GetProperty("points").EnumerateArray()
            .Select(point => (point.GetProperty("recall_at_10").GetDouble(), point.GetProperty("distance_computations").GetDouble()))];

    private JsonElement[] RunPeers(string names)
    {
        string run = Path.Combine(Repository.Root, "bench/Peers/run");
        string files = $"--data '{_folder}/base.bvecs' --queries '{_folder}/query.bvecs' --truth '{_folder}/truth.ivecs' --cache '{_folder}'";

        (int code, string output, string errors) = Shell.Run($"'{run}' {files} --only {names}");

        Assert.True(code == 0, errors);
        return [.. output.Split("\n]}", StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(part => JsonDocument.Parse(part + "]}").RootElement)];
    }

    /// <summary>Random bytes, with the truth by trying all, ties by the lower id.</summary>
    private void WriteSet(int dim)
    {
        var random = new Random(7);
        byte[][] rows = [.. Enumerable.Range(0, Count + QueryCount).Select(_ => { var row = new byte[dim]; random.NextBytes(row); return row; })];
        byte[][] data = rows[..Count], queries = rows[Count..];
        Write("base.bvecs", data, row => row);
        Write("query.bvecs", queries, row => row);
        Write("truth.ivecs", queries, query => Enumerable.Range(0, Count).OrderBy(i => Distance(data[i], query)).ThenBy(i => i).Take(K).SelectMany(BitConverter.GetBytes), K);
    }

    private static int Distance(byte[] x, byte[] y) => x.Zip(y, (a, b) => (a - b) * (a - b)).Sum();

    private void Write(string name, byte[][] rows, Func<byte[], IEnumerable<byte>> values, int? columns = null)
    {
        using FileStream file = File.Create(Path.Combine(_folder, name));
        foreach (byte[] row in rows)
        {
            file.Write(BitConverter.GetBytes(columns ?? row.Length));
            file.Write([.. values(row)]);
        }
    }
}
