using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using Signpost.Client.Wire;

namespace Signpost.Client;

/// <summary>A request that any silo can answer, and how its answer is read.</summary>
/// <param name="Path">After the address of the silo.</param>
/// <param name="Body">MessagePack for a POST; null for a GET.</param>
/// <param name="SiloTimeout">Time that one silo has.</param>
/// <param name="Read">Reads the body of the answer.</param>
internal sealed record SiloCall<T>(string Path, ReadOnlyMemory<byte>? Body, TimeSpan SiloTimeout, Func<byte[], T> Read);

/// <summary>Asks one silo after the other until one answers, within the time of the options. Thread-safe.</summary>
/// <remarks>
/// Everything that is asked only reads, so a call may be made again without harm. It is made again where another silo may do better: after a
/// connection that failed, silence, a status of 503, or a silo of another version in the middle of an update. A refusal is final.
/// </remarks>
internal sealed class SiloCalls(SignpostClientOptions options, SiloList silos, TimeProvider time) : IDisposable
{
    /// <summary>Pause before a silo is asked for the second time in a call; twice as long before the third.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Bytes from which a silo is asked whether it wants the body before it is sent. One that refuses it closes the connection, and the
    /// refusal would be lost in the broken connection.
    /// </summary>
    private const int LargeBody = 1 << 20;

    private readonly HttpClient _http = NewHttp(options);
    private volatile bool _isDisposed;

    public async Task<T> RunAsync<T>(SiloCall<T> call, CancellationToken cancel)
    {
        long start = time.GetTimestamp();
        var attempts = new List<(Silo Silo, SignpostException Why)>();
        while (true)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(SignpostClient));
            Silo[] tried = [.. attempts.Select(attempt => attempt.Silo)];
            Silo silo = silos.Next(tried);
            if (tried.Contains(silo))
            {
                await PauseAsync(attempts, Left(), cancel).ConfigureAwait(false);
            }

            try
            {
                TimeSpan left = Left();
                T answer = await AskAsync(silo, call, left < call.SiloTimeout ? left : call.SiloTimeout, cancel).ConfigureAwait(false);
                silo.Wake();
                return answer;
            }
            catch (SignpostException e)
            {
                NoteFailure(silo, e);
                attempts.Add((silo, e));
                if (!e.MayRetry)
                {
                    throw;
                }

                if (attempts.Count > options.Retries || Left() == TimeSpan.Zero)
                {
                    throw Failures.All(attempts);
                }
            }
        }

        TimeSpan Left()
        {
            TimeSpan used = time.GetElapsedTime(start);
            return used < options.Timeout ? options.Timeout - used : TimeSpan.Zero;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _isDisposed = true;
        _http.Dispose();
    }

    /// <summary>Waits before a silo is asked again; gives up at once where no time would be left then.</summary>
    private async Task PauseAsync(List<(Silo Silo, SignpostException Why)> attempts, TimeSpan left, CancellationToken cancel)
    {
        TimeSpan pause = attempts[^1].Why.RetryAfter ?? Pause * Math.Pow(2, attempts.Count - 1);
        if (pause >= left)
        {
            throw Failures.All(attempts);
        }

        await Task.Delay(pause, time, cancel).ConfigureAwait(false);
    }

    private static HttpClient NewHttp(SignpostClientOptions options)
    {
        HttpMessageHandler handler = options.Handler ?? new SocketsHttpHandler
        {
            ConnectTimeout = options.ConnectTimeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5), // so that a name that moved to another machine is noticed
            SslOptions = Trust.ForClient(options.Trust),
        };
        return new HttpClient(handler, disposeHandler: options.Handler is null)
        {
            Timeout = Timeout.InfiniteTimeSpan, // each attempt has its own
            DefaultRequestHeaders =
            {
                { Api.VersionHeader, Api.Version },
                { "Authorization", options.ApiKey is null ? [] : [$"Bearer {options.ApiKey}"] },
            },
        };
    }

    /// <summary>A silo that did answer is fine, whatever it said of the request; one with too much to do rests as long as it asks for.</summary>
    private void NoteFailure(Silo silo, SignpostException failure)
    {
        if (failure.MayRetry && failure.Code is not ("IncompleteCoverage" or "StaleVersion"))
        {
            silos.Rest(silo, failure.RetryAfter);
        }
        else
        {
            silo.Wake();
        }
    }

    /// <summary>One attempt. Every failure but the caller's own cancellation is a <see cref="SignpostException"/>.</summary>
    private async Task<T> AskAsync<T>(Silo silo, SiloCall<T> call, TimeSpan limit, CancellationToken cancel)
    {
        using var timer = new CancellationTokenSource(limit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancel);
        try
        {
            using HttpRequestMessage request = NewRequest(silo, call);
            using HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token).ConfigureAwait(false);
            byte[] body = await response.Content.ReadAsByteArrayAsync(both.Token).ConfigureAwait(false);
            ThrowIfRefused(silo, response, body);
            return call.Read(body);
        }
        catch (Exception) when (_isDisposed && !cancel.IsCancellationRequested)
        {
            throw new ObjectDisposedException(nameof(SignpostClient));
        }
        catch (OperationCanceledException)
        {
            cancel.ThrowIfCancellationRequested();
            throw timer.IsCancellationRequested
                ? Failures.Late(silo.Address, limit)
                : Failures.Unreachable(silo.Address, new TimeoutException($"no connection in {options.ConnectTimeout.TotalSeconds:0.###} s"));
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw Failures.Unreachable(silo.Address, e);
        }
        catch (MessagePackException e)
        {
            throw Failures.BadAnswer(silo.Address, $"{e.Got} at byte {e.Offset}", e.Expected, e);
        }
        catch (JsonException e)
        {
            throw Failures.BadAnswer(silo.Address, e.Message, "JSON of this version of the API", e);
        }
    }

    private static HttpRequestMessage NewRequest<T>(Silo silo, SiloCall<T> call)
    {
        var uri = new Uri(silo.Address, call.Path);
        return call.Body is not { } body
            ? new HttpRequestMessage(HttpMethod.Get, uri)
            : new HttpRequestMessage(HttpMethod.Post, uri)
            {
                Headers = { ExpectContinue = body.Length > LargeBody },
                Content = new ReadOnlyMemoryContent(body) { Headers = { ContentType = new MediaTypeHeaderValue(SearchFields.ContentType) } },
            };
    }

    private static void ThrowIfRefused(Silo silo, HttpResponseMessage response, byte[] body)
    {
        int status = (int)response.StatusCode;
        string? version = response.Headers.TryGetValues(Api.VersionHeader, out IEnumerable<string>? values) ? string.Join(',', values) : null;
        if (version is null && status is 502 or 503 or 504)
        {
            throw Failures.BadGateway(silo.Address, status);
        }

        if (version != Api.Version)
        {
            throw Failures.OtherVersion(silo.Address, version);
        }

        if (response.IsSuccessStatusCode)
        {
            return;
        }

        if (response.Content.Headers.ContentType?.MediaType != "application/problem+json")
        {
            throw Failures.BadAnswer(silo.Address, string.Create(CultureInfo.InvariantCulture, $"status {status} without a problem"), "a problem");
        }

        ProblemBody problem = JsonSerializer.Deserialize(body, ClientJson.Default.ProblemBody) ?? new ProblemBody();
        throw Failures.Of(problem, status, response.Headers.RetryAfter?.Delta);
    }
}
