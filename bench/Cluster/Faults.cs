using System.Diagnostics;
using System.Globalization;
using Signpost.Client;

namespace Signpost.Bench.Cluster;

/// <summary>Queries at a steady rate while one silo is killed, frozen or stopped: how many failed, how many were partial, how long until all is whole.</summary>
internal static class Faults
{
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(5);

    public static async Task RunAsync(Server server, string collection, float[][] vectors, int perSecond, int l, string signal, bool full)
    {
        using var client = new SignpostClient(new SignpostClientOptions { Addresses = server.Urls, Rest = TimeSpan.FromSeconds(1) });
        var options = new SearchOptions { K = 10, L = l, RequireFull = full, Timeout = TimeSpan.FromSeconds(8) };
        var load = new SteadyLoad(client, collection, vectors, perSecond, options);
        long start = load.Start;
        await Task.Delay(Calm);

        string victim = server.Silos[^1].Name;
        double at = Stopwatch.GetElapsedTime(start).TotalSeconds;
        server.Signal(victim, signal);
        double seen = await UntilAsync(client, start, c => c.Collections.All(m => m.Shards.All(s => s.Replicas.All(r => r.Silo != victim || r.State != "serving")))) - at;
        double whole = await UntilAsync(client, start, c => c.Collections.All(m => m.Shards.All(s => s.Replicas.Count(r => r.State == "serving" && r.Silo != victim) == 2))) - at;
        await Task.Delay(Calm);
        if (signal == "STOP")
        {
            server.Signal(victim, "CONT");
            await Task.Delay(Calm);
        }

        Asked[] all = await load.EndAsync();
        double[] calm = [.. all.Where(a => a.At < at).Select(a => a.Took).Order()];
        double lastPartial = all.Where(a => a.Partial).Select(a => a.At - at).DefaultIfEmpty(0).Max();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {server.Name} | {signal} | {(full ? "full" : "partial")} | {all.Length} | {all.Count(a => a.Failed)} | {all.Count(a => a.Partial)} | {lastPartial:0.0} | {calm[calm.Length / 2]:0.0} | "
            + $"{all.Max(a => a.Took):0} | {seen:0.0} | {whole:0.0} |"));
    }

    /// <summary>Seconds from <paramref name="start"/> until a silo says that <paramref name="holds"/>.</summary>
    internal static async Task<double> UntilAsync(SignpostClient client, long start, Func<ClusterInfo, bool> holds)
    {
        while (true)
        {
            try
            {
                if (holds(await client.GetClusterAsync()))
                {
                    return Stopwatch.GetElapsedTime(start).TotalSeconds;
                }
            }
            catch (SignpostException)
            {
                // Asked the one that is gone.
            }

            await Task.Delay(100);
        }
    }
}
