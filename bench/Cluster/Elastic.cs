using System.Globalization;
using Signpost.Client;
using Signpost.Engine.Vectors;

namespace Signpost.Bench.Cluster;

/// <summary>
/// Queries at a steady rate while a fourth silo joins three, the first one is drained, a shard is split, its halves are compacted, two neighbours are
/// merged, and new codes are learned: what they see of it, and how many bytes move.
/// </summary>
internal sealed class Elastic
{
    private const int K = 10;
    private const double Tolerance = 0.1;
    private const int Replicas = 2;
    private const string Quiet = "quiet";

    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(15);

    private readonly string _program;
    private readonly string _name;
    private readonly string _store;
    private readonly string _collection;
    private readonly string _caches;
    private readonly int _threads;
    private readonly Server _three;
    private readonly SignpostClient _client;
    private readonly SteadyLoad _load;
    private readonly List<(string What, double From, double To, long Bytes, long Least)> _phases = [];

    private Elastic(string program, string folder, string name, string caches, Server three, SignpostClient client, SteadyLoad load, int threads)
    {
        (_program, _name, _caches, _three, _client, _load, _threads) = (program, name, caches, three, client, load, threads);
        _store = Path.GetDirectoryName(folder)!;
        _collection = folder;
    }

    public static async Task RunAsync(string program, string collection, float[][] vectors, string truth, int perSecond, int l, int threads)
    {
        string folder = Directory.CreateTempSubdirectory("signpost-bench-").FullName;
        string caches = Directory.CreateDirectory(Path.Combine(folder, "caches")).FullName;
        try
        {
            string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(collection));
            string copy = Copy(collection, Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "store")).FullName, name)); // its shards are changed
            var rows = GroundTruth.Open(truth);
            using Server three = Server.Cluster(program, copy, 3, threads, caches: caches);
            using var client = new SignpostClient(new SignpostClientOptions { Addresses = three.Urls, Rest = TimeSpan.FromSeconds(1), RefreshEvery = TimeSpan.FromSeconds(5) });
            var load = new SteadyLoad(client, name, vectors, perSecond, new SearchOptions { K = K, L = l, Timeout = TimeSpan.FromSeconds(8) });
            var run = new Elastic(program, copy, name, caches, three, client, load, threads);
            do
            {
                await Task.Delay(Calm); // warms up
            }
            while (load.InFlight > perSecond / 10);

            await run.QuietAsync(2);
            using Server fourth = await run.JoinAsync();
            await run.QuietAsync(2);
            await run.DrainAsync();
            await run.QuietAsync();
            await run.ChangeShardsAsync();
            await run.RetrainAsync(vectors[0].Length / 4);
            await run.QuietAsync();
            Print(run._phases, await load.EndAsync(), rows);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private Task QuietAsync(int times = 1) => PhaseAsync(Quiet, () => Task.Delay(Calm * times), () => 0);

    private async Task<Server> JoinAsync()
    {
        long[] bytes = await BytesAsync();
        Server? fourth = null;
        await PhaseAsync("start", () => Task.FromResult(fourth = Server.Join(_program, _collection, _three, "silo-4", _threads, _caches)), () => 0);
        await PhaseAsync(
            "join", () => UntilAsync(c => c.Silos.Length == 4 && IsCalm(c) && c.Silos.Single(s => s.Name == "silo-4").Shards >= Edge(bytes, 4)),
            () => LeastOfJoin(bytes, 4));
        return fourth!;
    }

    private async Task DrainAsync()
    {
        long[] bytes = await BytesAsync();
        int[] had = [.. (await _client.GetClusterAsync()).Collections.Single().Shards.Where(s => s.Replicas.Any(r => r.Silo == "silo-1")).Select(s => s.Shard)];
        await PhaseAsync("drain", async () =>
        {
            Server.Run(_program, "drain", "silo-1", "--url", _three.Urls[1], "--quiet");
            await UntilAsync(c => c.Silos.Length == 3 && IsCalm(c));
        }, () => had.Sum(shard => bytes[shard]));
    }

    /// <summary>Nothing moves for a split; of what is made anew every copy is fetched once.</summary>
    private async Task ChangeShardsAsync()
    {
        int shards = (await BytesAsync()).Length;
        await PhaseAsync("split", () => ChangeAsync("split", _name, "0", "--store", _store), () => 0);
        await QuietAsync();
        await PhaseAsync("compact", () => ChangeAsync("compact", _name, "--store", _store), () => NewBytes(2));
        await QuietAsync();
        await PhaseAsync("merge", () => ChangeAsync("merge", _name, $"{shards + 2}", $"{shards + 3}", "--store", _store), () => NewBytes(1));
        await QuietAsync();
    }

    private async Task RetrainAsync(int m)
    {
        int[] shards = [.. (await _client.GetClusterAsync()).Collections.Single().Shards.Select(s => s.Shard)];
        await PhaseAsync(
            "retrain", () => ChangeAsync("train", "--collection", _name, "--method", "opq", "--m", $"{m}"),
            () => Replicas * shards.Sum(shard => new DirectoryInfo(_collection).EnumerateFiles($"shard-{shard:0000}-*.codes").MaxBy(file => file.LastWriteTimeUtc)!.Length));
    }

    private async Task ChangeAsync(params string[] words)
    {
        await Task.Run(() => Server.Run(_program, [.. words, "--url", _three.Urls[1], "--threads", "1", "--quiet"]));
        await UntilAsync(IsCalm);
    }

    private Task UntilAsync(Func<ClusterInfo, bool> holds) => Faults.UntilAsync(_client, _load.Start, holds);

    private async Task<long[]> BytesAsync() =>
        [.. Enumerable.Range(0, (await _client.GetClusterAsync()).Collections.Single().Shards.Length).Select(shard => BytesOf(_collection, shard))];

    /// <summary>Files of the last shards that were made, for each copy.</summary>
    private long NewBytes(int shards) => Replicas * new DirectoryInfo(_collection).EnumerateFiles("shard-*").GroupBy(file => file.Name[..10])
        .OrderByDescending(files => files.Key, StringComparer.Ordinal).Take(shards).Sum(files => files.Sum(file => file.Length));

    private async Task PhaseAsync(string what, Func<Task> act, Func<long> least)
    {
        double from = _load.Now;
        HashSet<string> before = [.. CachedFiles(_caches)];
        await act();
        long moved = CachedFiles(_caches).Where(file => !before.Contains(file)).Sum(file => new FileInfo(file).Length);
        _phases.Add((what, from, _load.Now, moved, least()));
    }

    private static void Print(List<(string What, double From, double To, long Bytes, long Least)> phases, Asked[] all, GroundTruth truth)
    {
        Console.WriteLine("| phase | s | queries | failed | partial | recall@10 | p50, ms | p99, ms | p99 / that of the quiet phase before | slowest, ms | MiB moved | of at least, MiB | ratio |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
        double quiet = 0;
        foreach ((string what, double from, double to, long bytes, long least) in phases)
        {
            Asked[] of = [.. all.Where(a => a.At >= from && a.At < to)];
            quiet = what == Quiet ? Percentile99(of) : quiet;
            string moved = least == 0 ? "| | | |" : string.Create(CultureInfo.InvariantCulture, $"| {bytes / 1048576.0:N1} | {least / 1048576.0:N1} | {(double)bytes / least:0.00} |");
            Line(what, to - from, of, quiet, moved);
        }

        Asked[] calm = In(what => what == Quiet), changing = In(what => what != Quiet);
        Line("all quiet phases", SecondsOf(what => what == Quiet), calm, Percentile99(calm), "| | | |");
        Line("all changes", SecondsOf(what => what != Quiet), changing, Percentile99(calm), "| | | |");

        double SecondsOf(Predicate<string> which) => phases.Where(p => which(p.What)).Sum(p => p.To - p.From);
        Asked[] In(Predicate<string> which) => [.. all.Where(a => phases.Any(p => which(p.What) && a.At >= p.From && a.At < p.To))];

        void Line(string what, double seconds, Asked[] of, double calm99, string moved)
        {
            double[] took = [.. of.Select(a => a.Took).Order()];
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {what} | {seconds:0} | {of.Length} | {of.Count(a => a.Failed)} | {of.Count(a => a.Partial)} | {of.Where(a => !a.Failed).Average(a => Recall(a, truth)):0.0000} | "
                + $"{took[took.Length / 2]:0.0} | {Percentile99(of):0.0} | {Percentile99(of) / calm99:0.0} | {took[^1]:0} {moved}"));
        }
    }

    private static double Percentile99(Asked[] of) => of.Select(a => a.Took).Order().ElementAt(of.Length * 99 / 100);

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
