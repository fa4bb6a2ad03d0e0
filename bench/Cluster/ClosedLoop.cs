using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;

namespace Signpost.Bench.Cluster;

/// <summary>What a run of callers saw.</summary>
/// <param name="Queries">Answered queries.</param>
/// <param name="Seconds">By the clock.</param>
/// <param name="ServerCpu">Processor time of the serving processes, seconds.</param>
/// <param name="LoopbackBytes">Bytes that went over the loopback interface, each way counted once.</param>
/// <param name="P50Ms">Median time of a request.</param>
/// <param name="P99Ms">99th percentile.</param>
internal sealed record Run(int Queries, double Seconds, double ServerCpu, long LoopbackBytes, double P50Ms, double P99Ms);

/// <summary>Callers that each ask again as soon as they are answered: bodies in the binary form, one vector or several.</summary>
internal static class ClosedLoop
{
    public static async Task<Run> RunAsync(Server server, string path, byte[][] bodies, int vectorsPerBody, int callers, TimeSpan time)
    {
        using var handler = new SocketsHttpHandler { MaxConnectionsPerServer = callers };
        using var http = new HttpClient(handler);
        server.Secrets?.LetIn(http, handler);
        var took = new List<double>[callers];
        long loopback = Loopback();
        double cpu = server.CpuSeconds;
        long start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(async () =>
        {
            took[caller] = [];
            string url = server.Urls[caller % server.Urls.Length] + path;
            for (int i = caller; Stopwatch.GetElapsedTime(start) < time; i += callers)
            {
                using var body = new ByteArrayContent(bodies[i % bodies.Length]);
                body.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
                long sent = Stopwatch.GetTimestamp();
                using HttpResponseMessage answer = await http.PostAsync(url, body);
                answer.EnsureSuccessStatusCode();
                await answer.Content.ReadAsByteArrayAsync();
                took[caller].Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
            }
        })));
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        double[] sorted = [.. took.SelectMany(t => t).Order()];
        return new Run(
            sorted.Length * vectorsPerBody, seconds, server.CpuSeconds - cpu, Loopback() - loopback, sorted[sorted.Length / 2], sorted[sorted.Length * 99 / 100]);
    }

    private static long Loopback() => long.Parse(File.ReadAllText("/sys/class/net/lo/statistics/tx_bytes"), CultureInfo.InvariantCulture);
}
