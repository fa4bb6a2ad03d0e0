using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Signpost.Client.Wire;

namespace Signpost.Client;

/// <summary>
/// Searches a Signpost server or cluster. One object serves a whole application: it is thread-safe, keeps connections, finds the silos of a
/// cluster by itself, asks them in turn, and asks another one where one fails.
/// </summary>
/// <remarks>
/// Every method fails with <see cref="SignpostException"/>, which tells what to do; with <see cref="OperationCanceledException"/> when the
/// caller cancels; with <see cref="ArgumentException"/> for arguments that no server would take.
/// </remarks>
public sealed class SignpostClient : IDisposable, IAsyncDisposable
{
    private const string ClusterPath = "v1/cluster";

    /// <summary>A silo that is late by this much after its own deadline is taken for dead.</summary>
    private static readonly TimeSpan Lateness = TimeSpan.FromSeconds(1);

    private static readonly SearchOptions Defaults = new();

    private readonly SignpostClientOptions _options;
    private readonly SiloList _silos;
    private readonly SiloCalls _calls;
    private readonly TimeProvider _time = TimeProvider.System;
    private long _refreshAt;

    /// <summary>A client of the server at <paramref name="address"/>, or of its cluster, with the default options.</summary>
    /// <param name="address">http://HOST:PORT.</param>
    public SignpostClient(string address)
        : this(new SignpostClientOptions { Addresses = [address] })
    {
    }

    /// <summary>A client. It connects at the first call.</summary>
    /// <exception cref="ArgumentException">The options cannot be used; every problem is told.</exception>
    public SignpostClient(SignpostClientOptions options)
    {
        _silos = new SiloList(options.Validate(), options.Rest, _time);
        _options = options;
        _calls = new SiloCalls(options, _silos, _time);
        _refreshAt = _time.GetTimestamp();
    }

    /// <summary>The stored vectors nearest to <paramref name="vector"/>.</summary>
    /// <param name="collection">Name of the collection.</param>
    /// <param name="vector">As many finite numbers as the collection has dimensions.</param>
    /// <param name="options">How to search; null: as the server does by default.</param>
    /// <param name="cancel">Ends the call; the server stops searching.</param>
    public Task<SearchResult> SearchAsync(
        string collection, ReadOnlyMemory<float> vector, SearchOptions? options = null, CancellationToken cancel = default) =>
        SearchAsync(collection, vector.Span, vector.Length, options, body => SearchReplyReader.Read(body, 1)[0].OrThrow(), cancel);

    /// <summary>The stored vectors nearest to each of several vectors, in one request.</summary>
    /// <param name="collection">Name of the collection.</param>
    /// <param name="rows">The vectors, one after the other. Shape: [count, dim], row-major.</param>
    /// <param name="count">Vectors, at least 1.</param>
    /// <param name="options">How to search; null: as the server does by default.</param>
    /// <param name="cancel">Ends the call; the server stops searching.</param>
    /// <returns>One item per vector, in their order, each with its result or its own error.</returns>
    public Task<ImmutableArray<SearchItem>> SearchBatchAsync(
        string collection, ReadOnlyMemory<float> rows, int count, SearchOptions? options = null, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return rows.Length % count == 0
            ? SearchAsync(collection, rows.Span, rows.Length / count, options, body => SearchReplyReader.Read(body, count), cancel)
            : throw new ArgumentException($"{rows.Length} numbers are not {count} vectors of one length.", nameof(rows));
    }

    /// <summary>As the other overload, for vectors that lie apart.</summary>
    /// <param name="collection">Name of the collection.</param>
    /// <param name="vectors">At least one; all of one length.</param>
    /// <param name="options">How to search; null: as the server does by default.</param>
    /// <param name="cancel">Ends the call; the server stops searching.</param>
    /// <returns>One item per vector, in their order, each with its result or its own error.</returns>
    public Task<ImmutableArray<SearchItem>> SearchBatchAsync(
        string collection, IReadOnlyList<ReadOnlyMemory<float>> vectors, SearchOptions? options = null, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfZero(vectors.Count);
        int dim = vectors[0].Length;
        float[] rows = new float[vectors.Count * dim];
        for (int i = 0; i < vectors.Count; i++)
        {
            if (vectors[i].Length != dim)
            {
                throw new ArgumentException($"vector {i} has {vectors[i].Length} components, the first has {dim}.", nameof(vectors));
            }

            vectors[i].CopyTo(rows.AsMemory(i * dim));
        }

        return SearchBatchAsync(collection, rows, vectors.Count, options, cancel);
    }

    /// <summary>The collections that are served, by name.</summary>
    public async Task<ImmutableArray<CollectionInfo>> GetCollectionsAsync(CancellationToken cancel = default) =>
        [.. (await GetAsync("v1/collections", ClientJson.Default.CollectionList, cancel).ConfigureAwait(false)).Collections];

    /// <summary>One collection.</summary>
    /// <param name="collection">Its name.</param>
    /// <param name="cancel">Ends the call.</param>
    public Task<CollectionInfo> GetCollectionAsync(string collection, CancellationToken cancel = default) =>
        GetAsync(PathOf(collection), ClientJson.Default.CollectionInfo, cancel);

    /// <summary>The silos, and who of them holds what, as the silo that answers sees it.</summary>
    public Task<ClusterInfo> GetClusterAsync(CancellationToken cancel = default) => GetAsync(ClusterPath, ClientJson.Default.ClusterInfo, cancel);

    /// <summary>Closes the connections; calls that run end with <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose() => _calls.Dispose();

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>The addresses that are asked in turn, for tests.</summary>
    internal IEnumerable<Uri> Silos => _silos.Addresses;

    private static string PathOf(string collection)
    {
        ArgumentException.ThrowIfNullOrEmpty(collection);
        return $"v1/collections/{Uri.EscapeDataString(collection)}";
    }

    private Task<T> SearchAsync<T>(
        string collection, ReadOnlySpan<float> rows, int dim, SearchOptions? options, Func<byte[], T> read, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfZero(dim, nameof(rows));
        ReadOnlyMemory<byte> body = SearchRequestWriter.Write(rows, dim, options ?? Defaults);
        TimeSpan siloTimeout = options?.Timeout + Lateness ?? _options.SiloTimeout;
        return RunAsync(new SiloCall<T>($"{PathOf(collection)}/search", body, siloTimeout, read), cancel);
    }

    private Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancel) => RunAsync(Getting(path, type), cancel);

    private SiloCall<T> Getting<T>(string path, JsonTypeInfo<T> type) =>
        new(path, null, _options.SiloTimeout, body => JsonSerializer.Deserialize(body, type) ?? throw new JsonException("null"));

    private Task<T> RunAsync<T>(SiloCall<T> call, CancellationToken cancel)
    {
        long now = _time.GetTimestamp();
        long due = Volatile.Read(ref _refreshAt);
        long next = now + (long)(_options.RefreshEvery.TotalSeconds * _time.TimestampFrequency);
        if (now >= due && Interlocked.CompareExchange(ref _refreshAt, next, due) == due)
        {
            _ = RefreshAsync();
        }

        return _calls.RunAsync(call, cancel);
    }

    /// <summary>Asks who is in the cluster. Where nobody says it, the silos that are known will do, and it is asked again later.</summary>
    private async Task RefreshAsync()
    {
        try
        {
            SiloCall<ClusterInfo> call = Getting(ClusterPath, ClientJson.Default.ClusterInfo);
            _silos.Learn(await _calls.RunAsync(call, CancellationToken.None).ConfigureAwait(false));
        }
        catch (Exception e) when (e is SignpostException or OperationCanceledException or ObjectDisposedException)
        {
        }
    }
}
