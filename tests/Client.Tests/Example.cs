using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Signpost.Client;

namespace Signpost.Client.Tests;

internal static class Example
{
    // One client for the whole application: in one line ...
    public static void AddTo(IServiceCollection services, string address) => services.AddSignpost(o => o.Addresses = [address]);

    // ... or by hand. It is thread-safe and keeps its connections.
    public static async Task<ulong[]> NearestAsync(string address, string collection, float[] vector)
    {
        await using var client = new SignpostClient(address);
        SearchResult result = await client.SearchAsync(collection, vector, new SearchOptions { K = 5 });
        return [.. result.Hits.Select(hit => hit.Id)]; // nearest first, each with its distance
    }

    // Several vectors in one request: one item each, with a result or an error of its own.
    public static async Task<int> CountAsync(SignpostClient client, float[][] vectors)
    {
        ImmutableArray<SearchItem> items = await client.SearchBatchAsync("demo", [.. vectors.Select(v => new ReadOnlyMemory<float>(v))]);
        return items.Count(item => item.Error is null);
    }

    // A partial answer says so; an error says what to do.
    public static async Task<string> TellAsync(SignpostClient client, string collection, float[] vector, CancellationToken cancel)
    {
        try
        {
            var options = new SearchOptions { K = 5, L = 200, Mode = SearchMode.CodesRerank, Timeout = TimeSpan.FromSeconds(1) };
            SearchResult result = await client.SearchAsync(collection, vector, options, cancel);
            return result.Coverage.IsFull ? "all shards answered" : string.Join("; ", result.Missing.Select(m => $"{m.Shard}: {m.Reason}"));
        }
        catch (SignpostException e) when (e.Kind == SignpostErrorKind.Refused)
        {
            return $"{e.Code}: got {e.Got}, expected {e.Expected}. {e.Mend}";
        }
    }
}
