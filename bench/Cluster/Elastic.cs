using System.Globalization;
using Signpost.Client;
using Signpost.Engine.Vectors;

namespace Signpost.Bench.Cluster;

/// <summary>
/// Queries at a steady rate while a fourth silo joins three, the first one is drained, a shard is split, its halves are compacted, two neighbours are
/// merged, and new codes are learned: what they see of it, and how many bytes move.
/// </summary>
internal static class Elastic
{
    private const int K = 10;
    private const double Tolerance = 0.1;
    private const int Replicas = 2;

    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(15);

    public static async Task RunAsync(string program, string collection, float[][] vectors, string truth, int perSecond, int l, int threads)
    {
        string folder = Directory.CreateTempSubdirectory("signpost-bench-").FullName;
        string caches = Directory.CreateDirectory(Path.Combine(folder, "caches")).FullName;
        try
        {
            string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(collection));
            string store = Directory.CreateDirectory(Path.Combine(folder, "store")).FullName;
            collection = Copy(collection, Path.Combine(store, name)); // its shards are changed
            var rows = GroundTruth.Open(truth);
            using Server three = Server.Cluster(program, collection, 3, threads, caches: caches);
            using var client = new SignpostClient(new SignpostClientOptions { Addresses = three.Urls, Rest = TimeSpan.FromSeconds(1), RefreshEvery = TimeSpan.FromSeconds(5) });
            var load = new SteadyLoad(client, name, vectors, perSecond, new SearchOptions { K = K, L = l, Timeout = TimeSpan.FromSeconds(8) });
            var phases = new List<(string What, double From, double To, long Bytes, long Least)>();
            await CalmAsync(); // warms up
            await PhaseAsync("quiet", () => Task.Delay(Calm * 2), () => 0);

            long[] bytes = [.. Enumerable.Range(0, (await client.GetClusterAsync()).Collections.Single().Shards.Length).Select(shard => BytesOf(collection, shard))];
            Server? fourth = null;
            await PhaseAsync("start", () => Task.FromResult(fourth = Server.Join(program, collection, three, "silo-4", threads, caches)), () => 0);
            await PhaseAsync("join", async () =>
            {
                await Faults.UntilAsync(client, load.Start, c => c.Silos.Length == 4 && IsCalm(c) && c.Silos.Single(s => s.Name == "silo-4").Shards >= Edge(bytes, 4));
            }, () => LeastOfJoin(bytes, 4));
            using Server joined = fourth!;
            await PhaseAsync("quiet", () => Task.Delay(Calm * 2), () => 0);

            int[] had = [.. (await client.GetClusterAsync()).Collections.Single().Shards.Where(s => s.Replicas.Any(r => r.Silo == "silo-1")).Select(s => s.Shard)];
            await PhaseAsync("drain", async () =>
            {
                Server.Run(program, "drain", "silo-1", "--url", three.Urls[1], "--quiet");
                await Faults.UntilAsync(client, load.Start, c => c.Silos.Length == 3 && IsCalm(c));
            }, () => had.Sum(shard => bytes[shard]));
            await PhaseAsync("quiet", () => Task.Delay(Calm), () => 0);

            // Nothing moves for a split; of what is made anew every copy is fetched once.
            await PhaseAsync("split", () => ChangeAsync(["split", name, "0", .. Here()]), () => 0);
            await PhaseAsync("quiet", () => Task.Delay(Calm), () => 0);
            await PhaseAsync("compact", () => ChangeAsync(["compact", name, .. Here()]), () => NewBytes(2));
            await PhaseAsync("quiet", () => Task.Delay(Calm), () => 0);
            await PhaseAsync("merge", () => ChangeAsync(["merge", name, $"{bytes.Length + 2}", $"{bytes.Length + 3}", .. Here()]), () => NewBytes(1));
            await PhaseAsync("quiet", () => Task.Delay(Calm), () => 0);
            int[] shards = [.. (await client.GetClusterAsync()).Collections.Single().Shards.Select(s => s.Shard)];
            await PhaseAsync("retrain", () => ChangeAsync(["train", "--collection", name, "--method", "opq", "--m", $"{vectors[0].Length / 4}"]), () => Replicas * CodesBytes());
            await PhaseAsync("quiet", () => Task.Delay(Calm), () => 0);
            Print(phases, await load.EndAsync(), rows);

            string[] Here() => ["--store", store];

            async Task ChangeAsync(string[] words)
            {
                await Task.Run(() => Server.Run(program, [.. words, "--url", three.Urls[1], "--threads", "1", "--quiet"]));
                await Faults.UntilAsync(client, load.Start, IsCalm);
            }

            // Files of the last shards that were made, for each copy.
            long NewBytes(int shards) => Replicas * new DirectoryInfo(collection).EnumerateFiles("shard-*").GroupBy(file => file.Name[..10])
                .OrderByDescending(files => files.Key, StringComparer.Ordinal).Take(shards).Sum(files => files.Sum(file => file.Length));

            // The newest codes of the shards that there are then.
            long CodesBytes() => shards.Sum(shard => new DirectoryInfo(collection).EnumerateFiles($"shard-{shard:0000}-*.codes").MaxBy(file => file.LastWriteTimeUtc)!.Length);

            async Task CalmAsync()
            {
                do
                {
                    await Task.Delay(Calm);
                }
                while (load.InFlight > perSecond / 10);
            }

            async Task PhaseAsync(string what, Func<Task> act, Func<long> least)
            {
                double from = load.Now;
                HashSet<string> before = [.. CachedFiles(caches)];
                await act();
                long moved = CachedFiles(caches).Where(file => !before.Contains(file)).Sum(file => new FileInfo(file).Length);
                phases.Add((what, from, load.Now, moved, least()));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Print(List<(string What, double From, double To, long Bytes, long Least)> phases, Asked[] all, GroundTruth truth)
    {
        Console.WriteLine("| phase | s | queries | failed | partial | recall@10 | p50, ms | p99, ms | p99 / that of the quiet phase before | slowest, ms | MiB moved | of at least, MiB | ratio |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
        double quiet = 0;
        foreach ((string what, double from, double to, long bytes, long least) in phases)
        {
            Asked[] of = [.. all.Where(a => a.At >= from && a.At < to)];
            double[] took = [.. of.Select(a => a.Took).Order()];
            double p99 = took[took.Length * 99 / 100];
            quiet = what == "quiet" ? p99 : quiet;
            double recall = of.Where(a => !a.Failed).Average(a => Recall(a, truth));
            string moved = least == 0 ? "| | | |" : string.Create(CultureInfo.InvariantCulture, $"| {bytes / 1048576.0:N1} | {least / 1048576.0:N1} | {(double)bytes / least:0.00} |");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {what} | {to - from:0} | {of.Length} | {of.Count(a => a.Failed)} | {of.Count(a => a.Partial)} | {recall:0.0000} | {took[took.Length / 2]:0.0} | {p99:0.0} | "
                + $"{p99 / quiet:0.0} | {took[^1]:0} {moved}"));
        }
    }

    private static double Recall(Asked asked, GroundTruth truth)
    {
        uint[] true10 = truth.Ids(asked.Row)[..K].ToArray();
        return asked.Ids.Count(id => true10.Contains((uint)id)) / (double)K;
    }

    private static bool IsCalm(ClusterInfo cluster) =>
        cluster.Moves.Length == 0 && cluster.Collections.All(c => c.Shards.All(s => s.Replicas.Length == 2 && s.Replicas.All(r => r.State == "serving")));

    /// <summary>As few shards as bring a silo to nine tenths of its fair share, were they the largest.</summary>
    private static int Edge(long[] bytes, int silos)
    {
        double edge = (1 - Tolerance) * Replicas * bytes.Sum() / silos;
        return Enumerable.Range(1, bytes.Length).First(count => bytes.OrderDescending().Take(count).Sum() >= edge);
    }

    private static long LeastOfJoin(long[] bytes, int silos) => bytes.Order().Take(Edge(bytes, silos)).Sum();

    private static long BytesOf(string collection, int shard) =>
        new DirectoryInfo(collection).EnumerateFiles($"shard-{shard:0000}-*").Sum(file => file.Length);

    private static IEnumerable<string> CachedFiles(string caches) => new DirectoryInfo(caches).EnumerateFiles("shard-*", SearchOption.AllDirectories)
        .Where(file => file.Extension is ".segment" or ".codes").Select(file => file.FullName);

    private static string Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.EnumerateFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }

        return to;
    }
}
