using System.Globalization;
using Signpost.Bench.Cluster;
using Signpost.Engine.Vectors;

// ./signpost bench cluster PROGRAM COLLECTION QUERIES L SECONDS ROUNDS [faults | security | elastic TRUTH] [redis] [orleans]
// One process with all shards and a cluster of three silos in turns, on the same machine, by the same requests, of more than one runtime each; with
// security: one process in clear and one with TLS and keys; with faults and elastic: what killed, joining and leaving silos cost.
if (args.Length < 6)
{
    Console.Error.WriteLine("cluster: expected PROGRAM COLLECTION QUERIES L SECONDS ROUNDS [faults | security | elastic TRUTH] [redis] [orleans]; PROGRAM is signpost.dll, "
        + "QUERIES a file of the collection's element type, TRUTH their exact neighbours");
    return 2;
}

(string program, string collection, string file) = (args[0], args[1], args[2]);
int l = int.Parse(args[3], CultureInfo.InvariantCulture);
TimeSpan time = TimeSpan.FromSeconds(double.Parse(args[4], CultureInfo.InvariantCulture));
int rounds = int.Parse(args[5], CultureInfo.InvariantCulture);
string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(collection));
string path = $"/v1/collections/{name}/search?k=10&l={l}";
using VectorBlock queries = VectorFile.Open(file);
int threads = Environment.ProcessorCount;
int firstPort = 20_000 + (Environment.ProcessId % 1000 * 10); // another one beside this one has others

float[][] vectors = [.. Enumerable.Range(0, (int)Math.Min(queries.Count, 1000)).Select(Floats)];
if (args is [_, _, _, _, _, _, "elastic", var truth])
{
    await Elastic.RunAsync(program, collection, vectors, truth, 200, l, threads);
    return 0;
}

string[] runtimes = [.. args[6..].Where(word => word is "redis" or "orleans").DefaultIfEmpty("redis")];
if (args.Contains("faults"))
{
    Console.WriteLine("| runtime | signal | require | queries | failed | partial | last partial, s | p50 before, ms | slowest, ms | not asked any more after, s | whole after, s |");
    Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|---|");
    foreach (string signal in (string[])["KILL", "STOP", "TERM"])
    {
        foreach ((string runtime, bool full) in runtimes.SelectMany(runtime => ((bool[])[true, false]).Select(full => (runtime, full))))
        {
            using Server cluster = Server.Cluster(program, collection, 3, threads, runtime, firstPort);
            await Faults.RunAsync(cluster, name, vectors, 200, l, signal, full);
        }
    }

    return 0;
}

byte[][] single = [.. Enumerable.Range(0, (int)queries.Count).Select(row => queries.RowSpan(row).ToArray())];
byte[][] batches = [.. single.Chunk(64).Select(rows => rows.SelectMany(row => row).ToArray())];
using Server alone = Server.Embedded(program, collection, threads);
using Secrets? secrets = args.Contains("security") ? new Secrets() : null;
using var clusters = new Servers(secrets is null
    ? runtimes.Select((runtime, i) => Server.Cluster(program, collection, 3, threads, runtime, firstPort + (10 * i)))
    : [Server.Embedded(program, collection, threads, secrets)]);
Server[] all = [alone, .. clusters.All];
foreach (Server server in all)
{
    await ClosedLoop.RunAsync(server, path, single, 1, 16, TimeSpan.FromSeconds(15)); // until the compiler of the runtime has done most of its work
}

Console.WriteLine("| callers x vectors | served by | queries/s | CPU of the servers per query, us | bytes on loopback per query | p50, ms | p99, ms |");
Console.WriteLine("|---|---|---|---|---|---|---|");
foreach ((int callers, byte[][] bodies, int each) in ((int, byte[][], int)[])[(1, single, 1), (16, single, 1), (64, single, 1), (4, batches, 64)])
{
    var runs = all.ToDictionary(server => server.Name, _ => new List<Run>());
    for (int round = -1; round < rounds; round++)
    {
        foreach (Server server in all)
        {
            Run run = await ClosedLoop.RunAsync(server, path, bodies, each, callers, time);
            if (round >= 0)
            {
                runs[server.Name].Add(run); // the first round of each kind warms up
            }
        }
    }

    foreach ((string served, List<Run> of) in runs)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {callers} x {each} | {served} | {Median(of, r => r.Queries / r.Seconds):N0} | {Median(of, r => r.ServerCpu * 1e6 / r.Queries):N0} | "
            + $"{Median(of, r => (double)r.LoopbackBytes / r.Queries):N0} | {Median(of, r => r.P50Ms):0.00} | {Median(of, r => r.P99Ms):0.00} |"));
    }
}

return 0;

static double Median(List<Run> runs, Func<Run, double> figure) => runs.Select(figure).Order().ElementAt(runs.Count / 2);

float[] Floats(int row)
{
    float[] floats = new float[queries.Dim];
    Elements.ToFloat(queries.RowSpan(row), queries.Type, floats);
    return floats;
}
